//! Processor time of processes and threads, as Linux counts it under `/proc`.

use std::fs;
use std::time::Duration;

/// Clock ticks a second in `/proc/*/stat`: USER_HZ, which Linux fixes at 100 for user space.
const TICKS_PER_S: u64 = 100;

/// User and system time of a process with all its threads; none when it is gone or not on Linux.
#[must_use]
pub fn of_process(pid: u32) -> Option<Duration> {
    of_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// User and system time of those threads of this process whose name begins so; none when there are
/// none, or not on Linux.
#[must_use]
pub fn of_own_threads(name: &str) -> Option<Duration> {
    let threads = fs::read_dir("/proc/self/task").ok()?;
    let time_of = |folder: fs::DirEntry| {
        let named = fs::read_to_string(folder.path().join("comm")).ok()?.starts_with(name);
        let stat = fs::read_to_string(folder.path().join("stat")).ok()?;
        named.then(|| of_stat(&stat)).flatten()
    };
    threads.flatten().filter_map(time_of).reduce(|all, one| all + one)
}

/// Fields 14 and 15 (utime, stime) of proc(5); the name in field 2 may hold spaces.
fn of_stat(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1_000 / TICKS_PER_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 5 1 1";
        assert_eq!(of_stat(stat), Some(Duration::from_secs(2)));
    }

    #[test]
    fn what_cannot_be_read_is_not_zero() {
        assert_eq!(of_stat("7 (a"), None);
        assert_eq!(of_stat("7 (a) S 1 7 7"), None);
        assert_eq!(of_process(u32::MAX), None);
        assert_eq!(of_own_threads("no thread is called this"), None);
    }
}
