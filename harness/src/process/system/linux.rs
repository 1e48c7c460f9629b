//! Processes and ports as `/proc` shows them (proc(5)).

use super::{StartedWith, Stat, ThreadTime};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// Clock ticks a second in `/proc/*/stat`: USER_HZ, which Linux fixes at 100 for user space.
const TICKS_PER_S: u64 = 100;
/// Where the range of outgoing connections stands.
const OUTGOING: &str = "/proc/sys/net/ipv4/ip_local_port_range";

pub fn all() -> HashMap<u32, Stat> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, one(pid)?))).collect()
}

pub fn one(pid: u32) -> Option<Stat> {
    stat(&text_of(pid)?)
}

pub fn words(pid: u32) -> Option<Vec<Vec<u8>>> {
    Some(list(&std::fs::read(file(pid, "cmdline")).ok()?))
}

pub fn started_with(pid: u32) -> Option<StartedWith> {
    let words = words(pid)?;
    let variables = match std::fs::read(file(pid, "environ")) {
        Ok(bytes) => Some(list(&bytes)),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => None,
        // It has ended meanwhile (no such file, or no such process).
        Err(_) => return None,
    };
    Some(StartedWith { words, variables })
}

pub fn cpu(pid: u32) -> Option<Duration> {
    spent(&text_of(pid)?)
}

pub fn outgoing_ports() -> Option<Range<u16>> {
    range(&std::fs::read_to_string(OUTGOING).ok()?)
}

pub fn listeners(port: u16) -> Vec<u32> {
    let tables = ["tcp", "tcp6"].map(|name| format!("/proc/net/{name}"));
    let tables = tables.map(|table| std::fs::read_to_string(table).unwrap_or_default());
    let sockets: Vec<String> = tables.iter().flat_map(|table| listening(table, port)).collect();
    let holds = |pid: &u32| {
        let files = std::fs::read_dir(file(*pid, "fd")).into_iter().flatten().flatten();
        let mut links = files.filter_map(|file| std::fs::read_link(file.path()).ok());
        links.any(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str()))
    };
    let mut pids: Vec<u32> = all().into_keys().filter(holds).collect();
    pids.sort_unstable();
    pids
}

/// User and system time of those threads of this process whose name begins so; none when there are
/// none.
pub fn cpu_of_own_threads(name: &str) -> Option<Duration> {
    let threads = std::fs::read_dir("/proc/self/task").ok()?;
    let time_of = |folder: std::fs::DirEntry| {
        let named = std::fs::read_to_string(folder.path().join("comm")).ok()?.starts_with(name);
        let stat = std::fs::read_to_string(folder.path().join("stat")).ok()?;
        named.then(|| spent(&stat)).flatten()
    };
    threads.flatten().filter_map(time_of).reduce(|all, one| all + one)
}

/// How many processors the machine has, and how long they had nothing to do, all together, since it was
/// started.
pub fn idle() -> Option<(u32, Duration)> {
    idle_of(&std::fs::read_to_string("/proc/stat").ok()?)
}

/// How long each thread of a process ran and how long it waited for a processor, by its number.
pub fn waits(pid: u32) -> Vec<(u32, ThreadTime)> {
    let threads = std::fs::read_dir(file(pid, "task")).into_iter().flatten().flatten();
    let times = threads.filter_map(|folder| {
        let thread = folder.file_name().to_str()?.parse().ok()?;
        let schedstat = std::fs::read_to_string(folder.path().join("schedstat")).ok()?;
        Some((thread, thread_time(&schedstat)?))
    });
    times.collect()
}

/// Resident memory in bytes, and open files and sockets, if this process may count them.
pub fn held(pid: u32) -> Option<(u64, Option<u64>)> {
    let resident = resident(&std::fs::read_to_string(file(pid, "status")).ok()?)?;
    let files = std::fs::read_dir(file(pid, "fd")).ok().map(|files| files.count() as u64);
    Some((resident, files))
}

fn file(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

fn text_of(pid: u32) -> Option<String> {
    let bytes = std::fs::read(file(pid, "stat")).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The words of a list whose ends are NUL bytes, as command lines and environments are.
fn list(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect()
}

/// The fields after the name, which may itself hold parentheses and blanks.
fn stat(text: &str) -> Option<Stat> {
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some(Stat {
        lives: fields.next().filter(|state| !state.is_empty())? != "Z",
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
        // Field 22, where the first of these is the third.
        start: fields.nth(16)?.parse().ok()?,
    })
}

/// Fields 14 and 15 (utime, stime).
fn spent(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1_000 / TICKS_PER_S))
}

/// The processors that `/proc/stat` lists, and how long they were idle or waited for a disk.
fn idle_of(stat: &str) -> Option<(u32, Duration)> {
    let mut fields = stat.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace().skip(3);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let idle = Duration::from_millis((ticks()? + ticks()?) * 1_000 / TICKS_PER_S);
    let numbered = |line: &&str| line.starts_with("cpu") && !line.starts_with("cpu ");
    let processors = u32::try_from(stat.lines().filter(numbered).count()).ok()?;
    (processors > 0).then_some((processors, idle))
}

/// Nanoseconds run, nanoseconds waited, and how often (Documentation/scheduler/sched-stats.rst of the
/// kernel).
fn thread_time(schedstat: &str) -> Option<ThreadTime> {
    let mut fields = schedstat.split_ascii_whitespace().map(str::parse);
    let mut next = || fields.next()?.ok().map(Duration::from_nanos);
    Some(ThreadTime { ran: next()?, waited: next()? })
}

/// `VmRSS` in bytes; whoever has ended has none.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1_024)
}

/// The sockets of a table that listen on this port, as links to them read.
fn listening(table: &str, port: u16) -> Vec<String> {
    let end = format!(":{port:04X}");
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // Fields 2, 4 and 10: the local address, the state, of which 0A is LISTEN, and the inode.
        let &[_, local, _, "0A", _, _, _, _, _, inode, ..] = fields.as_slice() else { return None };
        local.ends_with(&end).then(|| format!("socket:[{inode}]"))
    };
    table.lines().filter_map(socket).collect()
}

fn range(text: &str) -> Option<Range<u16>> {
    let mut bounds = text.split_whitespace().map(str::parse);
    let (first, last) = (bounds.next()?.ok()?, bounds.next()?.ok()?);
    (first <= last).then_some(first..last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_be_anything() {
        let text = "7 (a) b) (c) S 3 9 9 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 512 1 1";
        assert_eq!(stat(text), Some(Stat { lives: true, parent: 3, group: 9, start: 512 }));
        assert_eq!(spent(text), Some(Duration::from_secs(2)));
        assert!(!stat(&text.replace(" S ", " Z ")).unwrap().lives);
    }

    #[test]
    fn what_cannot_be_read_is_not_zero() {
        for nonsense in ["nonsense", "7 (a", "7 (a) S 1 7 7"] {
            assert_eq!((stat(nonsense), spent(nonsense)), (None, None));
        }
        assert_eq!((cpu(u32::MAX), one(u32::MAX), started_with(u32::MAX)), (None, None, None));
        assert_eq!(cpu_of_own_threads("no thread is called this"), None);
        assert_eq!(waits(u32::MAX), []);
        for nonsense in ["cpu  5 0 7 300 20 0", "intr 5", ""] {
            assert_eq!((idle_of(nonsense), thread_time(nonsense)), (None, None));
        }
        assert_eq!(thread_time("1500000"), None);
    }

    #[test]
    fn idle_processors_and_waiting_threads_are_read() {
        let stat = "cpu  5 0 7 300 20 0 0 1 0 0\ncpu0 2 0 3 150 10\ncpu1 3 0 4 150 10\nintr 5";
        assert_eq!(idle_of(stat), Some((2, Duration::from_millis(3_200))));
        let (ran, waited) = (Duration::from_micros(1_500), Duration::from_millis(2));
        assert_eq!(thread_time("1500000 2000000 3\n"), Some(ThreadTime { ran, waited }));
        let own = waits(std::process::id());
        assert!(own.iter().any(|(_, time)| time.ran > Duration::ZERO), "{own:?}");
        assert!(idle().is_some_and(|(processors, _)| processors > 0));
    }

    #[test]
    fn what_a_process_holds_is_read() {
        let status = "Name:\tVmRSS: 1 kB\nVmHWM:\t    9 kB\nVmRSS:\t    2048 kB\nThreads:\t1\n";
        assert_eq!(resident(status), Some(2_097_152));
        assert_eq!((resident("Name:\tx\n"), held(u32::MAX)), (None, None));
        // No other system tells it.
        assert_eq!(super::super::portable::held(std::process::id()), None);
        let (bytes, files) = held(std::process::id()).unwrap();
        assert!(bytes > 1_048_576 && files > Some(2), "{bytes} {files:?}");
    }

    #[test]
    fn the_kernels_range_is_read() {
        assert_eq!(range("32768\t60999\n"), Some(32_768..60_999));
        assert_eq!(range("nonsense"), None);
    }

    #[test]
    fn only_listeners_of_the_port_are_read_from_the_kernels_table() {
        let line = |local: &str, state: &str, inode: &str| {
            format!(
                " 0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 0 0 0 {inode} 1"
            )
        };
        let table = [
            "sl local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt uid t inode"
                .into(),
            line("0100007F:0FAA", "0A", "11"),
            line("0100007F:0FAA", "01", "12"),
            line("0100007F:1FAA", "0A", "13"),
        ];
        assert_eq!(listening(&table.join("\n"), 4010), ["socket:[11]"]);
    }
}
