//! The processes of this machine, and who descends from whom.
//!
//! A number may belong to another process a moment later, so a process is known by its number and
//! its start, and a signal goes only to whoever still has both.

use super::system::{self, Stat};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashMap;

/// A living process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub pid: u32,
    /// Its process group.
    pub group: u32,
    /// Its command line; empty where it could not be read.
    pub command: String,
    start: u64,
}

impl Member {
    /// Sends it a signal, unless it is gone.
    pub fn signal(&self, signal: Signal) {
        let same = system::one(self.pid).is_some_and(|stat| stat.start == self.start);
        if let (true, Ok(pid @ 1..)) = (same, i32::try_from(self.pid)) {
            // Whoever may not be signalled is found again, and named.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

/// The command line of a process; empty where it cannot be read.
#[must_use]
pub fn command(pid: u32) -> String {
    let words = system::words(pid).unwrap_or_default();
    let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word)).collect();
    words.join(" ")
}

/// The living descendants of a process, in order; it is none of them itself.
#[must_use]
pub fn family(root: u32) -> Vec<Member> {
    let all = system::all();
    let member = |pid| {
        let Stat { group, start, .. } = all[&pid];
        Member { pid, group, start, command: command(pid) }
    };
    descendants_of(root, &all).into_iter().map(member).collect()
}

/// The numbers of the living descendants of a process, in order.
#[must_use]
pub fn descendants(root: u32) -> Vec<u32> {
    descendants_of(root, &system::all())
}

fn descendants_of(root: u32, all: &HashMap<u32, Stat>) -> Vec<u32> {
    let descends = |pid: &u32| {
        let mut at = *pid;
        // Whoever was started meanwhile may seem to be their own ancestor: nobody is that old.
        for _ in 0..all.len() {
            match all.get(&at) {
                Some(stat) if stat.parent == root => return true,
                Some(stat) => at = stat.parent,
                None => return false,
            }
        }
        false
    };
    let living = all.iter().filter(|(_, stat)| stat.lives).map(|(pid, _)| *pid);
    let mut family: Vec<u32> = living.filter(|pid| *pid != root).filter(descends).collect();
    family.sort_unstable();
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_every_living_descendant_whatever_its_group() {
        let stat = |state, parent, group| Stat { lives: state != 'Z', parent, group, start: 0 };
        let all = HashMap::from([
            (1, stat('S', 0, 1)),
            (9, stat('S', 1, 9)),
            (10, stat('S', 9, 10)),
            (11, stat('S', 10, 10)),
            (12, stat('S', 11, 12)), // left the group
            (13, stat('Z', 9, 10)),
            (14, stat('S', 13, 13)), // left by its parent, which is not forgotten yet
            (15, stat('S', 9, 15)),  // adopted
            (20, stat('S', 1, 20)),
            (30, stat('S', 31, 30)),
            (31, stat('S', 30, 31)), // a loop
        ]);
        assert_eq!(descendants_of(9, &all), [10, 11, 12, 14, 15]);
        assert_eq!(descendants_of(99, &all), [0; 0]);
    }

    #[test]
    fn a_number_that_belongs_to_somebody_else_by_now_gets_no_signal() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let stat = system::one(child.id()).unwrap();
        let member = |start| Member { pid: child.id(), group: 0, command: String::new(), start };
        member(stat.start - 1).signal(Signal::SIGKILL);
        member(stat.start).signal(Signal::SIGTERM);
        let how = child.wait().unwrap().to_string();
        assert!(how.contains("SIGTERM"), "{how}");
    }
}
