//! Processes as any system shows them to the `sysinfo` crate.

use super::{StartedWith, Stat, ThreadTime};
use nix::unistd::{Pid as Number, getpgid};
use std::collections::HashMap;
use std::ffi::OsString;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;
use sysinfo::{
    Pid, Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind,
};

/// Outgoing connections have ports from here on: IANA's dynamic ports (RFC 6335, section 6), which
/// macOS and the BSDs use as they are installed.
const DYNAMIC: Range<u16> = 49_152..u16::MAX;

pub fn all() -> HashMap<u32, Stat> {
    let system = seen(ProcessesToUpdate::All, ProcessRefreshKind::nothing());
    let known = system.iter().flat_map(System::processes);
    known.filter_map(|(pid, process)| Some((pid.as_u32(), stat(process)?))).collect()
}

pub fn one(pid: u32) -> Option<Stat> {
    with(pid, ProcessRefreshKind::nothing(), stat)
}

pub fn words(pid: u32) -> Option<Vec<Vec<u8>>> {
    with(pid, ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always), |process| {
        Some(bytes(process.cmd()))
    })
}

pub fn started_with(pid: u32) -> Option<StartedWith> {
    let asked = ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always);
    with(pid, asked.with_environ(UpdateKind::Always), |process| {
        let variables = process.environ();
        // Whether there are none or they may not be read, is not said.
        let variables = (!variables.is_empty()).then(|| bytes(variables));
        Some(StartedWith { words: bytes(process.cmd()), variables })
    })
}

pub fn cpu(pid: u32) -> Option<Duration> {
    with(pid, ProcessRefreshKind::nothing().with_cpu(), |process| {
        Some(Duration::from_millis(process.accumulated_cpu_time()))
    })
}

#[cfg_attr(target_os = "linux", expect(clippy::unnecessary_wraps, reason = "Linux may not say it"))]
pub fn outgoing_ports() -> Option<Range<u16>> {
    Some(DYNAMIC)
}

/// No system but Linux shows the sockets of others in the same way.
pub fn listeners(_: u16) -> Vec<u32> {
    Vec::new()
}

/// Threads have no names there.
pub fn cpu_of_own_threads(_: &str) -> Option<Duration> {
    None
}

/// Nobody else says how long threads wait, and without that it says nothing how idle processors are.
pub fn idle() -> Option<(u32, Duration)> {
    None
}

/// It is asked for together with the waits.
pub fn held(_: u32) -> Option<(u64, Option<u64>)> {
    None
}

/// No system but Linux counts it.
pub fn waits(_: u32) -> Vec<(u32, ThreadTime)> {
    Vec::new()
}

fn bytes(words: &[OsString]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// None where the system does not answer.
fn seen(of: ProcessesToUpdate<'_>, what: ProcessRefreshKind) -> Option<System> {
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(of, true, what.without_tasks());
    Some(system)
}

fn with<T>(
    pid: u32,
    what: ProcessRefreshKind,
    of: impl FnOnce(&Process) -> Option<T>,
) -> Option<T> {
    let pid = Pid::from_u32(pid);
    of(seen(ProcessesToUpdate::Some(&[pid]), what)?.process(pid)?)
}

/// None when it is gone meanwhile, and with it its group.
fn stat(process: &Process) -> Option<Stat> {
    let pid = i32::try_from(process.pid().as_u32()).ok()?;
    let lives = !matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead);
    let group = getpgid(Some(Number::from_raw(pid))).ok().map(Number::as_raw);
    Some(Stat {
        lives,
        parent: process.parent().map_or(0, Pid::as_u32),
        group: group.and_then(|group| u32::try_from(group).ok()).or((!lives).then_some(0))?,
        start: process.start_time(),
    })
}

/// Here both can be asked, and must say the same.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::process::system::linux;
    use std::process::{Child, Command};

    /// A shell that waits for a child of its own.
    fn family() -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 60 & wait"]).env_clear().env("TOKEN", "a=b");
        command.spawn().unwrap()
    }

    #[test]
    fn both_ways_of_asking_see_the_same_processes() {
        let mut shell = family();
        let root = shell.id();
        let child = |all: &HashMap<u32, Stat>| {
            all.iter().find(|(_, stat)| stat.parent == root).map(|(pid, _)| *pid)
        };
        let theirs = loop {
            if let Some(pid) = child(&linux::all()) {
                break pid;
            }
        };
        let (ours, expected) = (all(), linux::all());
        assert_eq!(child(&ours), Some(theirs));
        for pid in [root, theirs, std::process::id()] {
            let (seen, expected) = (ours[&pid], expected[&pid]);
            assert_eq!(seen, Stat { start: seen.start, ..expected });
            assert_eq!(one(pid), Some(seen));
        }
        assert!(ours[&root].start <= ours[&theirs].start && ours[&root].start > 1_700_000_000);
        assert_eq!(started_with(root), linux::started_with(root));
        assert_eq!(words(root), linux::words(root));
        let variables = started_with(root).unwrap().variables.unwrap();
        assert!(variables.contains(&b"TOKEN=a=b".to_vec()), "{variables:?}");
        let sleeps = nix::unistd::Pid::from_raw(i32::try_from(theirs).unwrap());
        nix::sys::signal::kill(sleeps, nix::sys::signal::Signal::SIGKILL).unwrap();
        shell.wait().unwrap();
    }

    #[test]
    fn whoever_has_ended_and_is_not_waited_for_does_not_live() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        while linux::one(pid).unwrap().lives {
            std::thread::yield_now();
        }
        assert!(!one(pid).unwrap().lives && !all()[&pid].lives);
        child.wait().unwrap();
        assert_eq!((one(pid), started_with(pid), cpu(pid)), (None, None, None));
    }

    #[test]
    fn both_count_the_same_processor_time() {
        let pid = std::process::id();
        while linux::cpu(pid).is_none_or(|spent| spent.is_zero()) {}
        let (before, seen, after) = (linux::cpu(pid), cpu(pid), linux::cpu(pid));
        assert!(before <= seen && seen <= after, "{before:?}, {seen:?}, {after:?}");
        assert!(seen.unwrap() > Duration::ZERO);
    }

    #[test]
    fn what_is_not_seen_is_nobody() {
        assert_eq!((listeners(1), cpu_of_own_threads("")), (Vec::new(), None));
        assert_eq!((idle(), waits(std::process::id())), (None, Vec::new()));
        assert_eq!(outgoing_ports(), Some(DYNAMIC));
    }
}
