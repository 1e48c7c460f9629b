//! What the operating system says of processes: Linux by proc(5), any other by what the `sysinfo` crate
//! finds out there. Tests on Linux compare both.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(test, not(target_os = "linux")))]
mod portable;

#[cfg(target_os = "linux")]
use linux as asked;
#[cfg(not(target_os = "linux"))]
use portable as asked;

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

/// A process as it stands in the system's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Whether it has not ended: one that has is remembered until its parent asks for its end.
    pub lives: bool,
    /// Who started it, or adopted it since.
    pub parent: u32,
    /// Its process group.
    pub group: u32,
    /// When it began: clock ticks since the machine did on Linux, seconds since 1970 elsewhere.
    pub start: u64,
}

/// What a process was started with.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub struct StartedWith {
    /// The program and its arguments.
    pub words: Vec<Vec<u8>>,
    /// Its variables, as `KEY=value`; none where they may not be read.
    pub variables: Option<Vec<Vec<u8>>>,
}

/// How a thread spent its time since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadTime {
    /// On a processor.
    pub ran: Duration,
    /// Ready to run, while others had the processors.
    pub waited: Duration,
}

/// The processes of the whole machine by their numbers.
#[must_use]
pub fn all() -> HashMap<u32, Stat> {
    asked::all()
}

/// One process; none when it is gone.
#[must_use]
pub fn one(pid: u32) -> Option<Stat> {
    asked::one(pid)
}

/// The program of a process and its arguments; none when it is gone.
#[must_use]
pub fn words(pid: u32) -> Option<Vec<Vec<u8>>> {
    asked::words(pid)
}

/// What a process was started with; none when it is gone.
#[must_use]
pub fn started_with(pid: u32) -> Option<StartedWith> {
    asked::started_with(pid)
}

/// User and system time of a process with all its threads; none when it is gone.
#[must_use]
pub fn cpu(pid: u32) -> Option<Duration> {
    asked::cpu(pid)
}

/// The ports from which the system chooses for outgoing connections; none where it does not say.
#[must_use]
pub fn outgoing_ports() -> Option<Range<u16>> {
    asked::outgoing_ports()
}

/// Who listens on a port, in order: processes whose open files may be seen. Nobody is seen where the
/// system does not say it.
#[must_use]
pub fn listeners(port: u16) -> Vec<u32> {
    asked::listeners(port)
}

/// How many processors the machine has, and how long they had nothing to do, all together, since it was
/// started; none where the system does not say it.
#[must_use]
pub fn idle() -> Option<(u32, Duration)> {
    asked::idle()
}

/// How each thread of a process spent its time, by the thread's number; nothing of one that is gone, or
/// where the system does not say it.
#[must_use]
pub fn waits(pid: u32) -> Vec<(u32, ThreadTime)> {
    asked::waits(pid)
}

/// The resident memory of a process in bytes, and how many files and sockets it has open, as far as they may
/// be counted; none when it is gone, or where the system does not say it.
#[must_use]
pub fn held(pid: u32) -> Option<(u64, Option<u64>)> {
    asked::held(pid)
}

/// User and system time of those threads of this process whose name begins so; none when there are
/// none, or where the system does not say it.
#[must_use]
pub fn cpu_of_own_threads(name: &str) -> Option<Duration> {
    asked::cpu_of_own_threads(name)
}
