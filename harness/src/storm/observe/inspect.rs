//! Looks into the processes of the target: what their command lines and environments hold.
//!
//! The group's leader, whoever is in its group, and all their descendants, as `/proc` shows them
//! (proc(5)). Each is looked into once, and again when it has become another program.

use super::search::{Search, Spot};
use crate::storm::recorder::Recorder;
use mock_server::clock::Clock;
use scenarios::history::Event;
use scenarios::observed::{Inspection, Place};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::path::PathBuf;

/// As much of a command line as is recorded.
const SHOWN: usize = 120;

/// Who has been looked into.
#[derive(Default)]
pub struct Inspector {
    known: HashSet<(u32, u64)>,
}

/// A process as `/proc/PID/stat` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    parent: u32,
    group: u32,
}

impl Inspector {
    /// Looks into every process of the group of `leader` that was not looked into before.
    pub fn look(&mut self, leader: u32, search: &Search, recorder: &Recorder, clock: Clock) {
        for pid in family(leader, &all_processes()) {
            let Ok(command) = std::fs::read(proc(pid, "cmdline")) else { continue };
            let environment = std::fs::read(proc(pid, "environ"));
            let environment = match environment {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => None,
                // It has ended meanwhile (no such file, or no such process).
                Err(_) => continue,
            };
            let mut hasher = DefaultHasher::new();
            (&command, &environment).hash(&mut hasher);
            if !self.known.insert((pid, hasher.finish())) {
                continue;
            }
            let words: Vec<&[u8]> = parts(&command).collect();
            let name = String::from_utf8_lossy(words.first().copied().unwrap_or_default());
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            for (index, word) in words.iter().enumerate() {
                let argument = || Spot(format!("argument {index} of {name}"), String::new());
                search.look(Place::CommandLine, word, argument);
            }
            let variables = environment.as_deref().map(|environment| {
                let look = |variable: &[u8]| {
                    let end = variable.iter().position(|byte| *byte == b'=');
                    let key = String::from_utf8_lossy(&variable[..end.unwrap_or(0)]);
                    let of = || Spot(format!("{key} of {name}"), String::new());
                    search.look(Place::Environment, variable, of);
                };
                parts(environment).map(look).count() as u64
            });
            let shown = String::from_utf8_lossy(&words.join(&b' ')).into_owned();
            let shown = search.redacted(&shown).chars().take(SHOWN).collect();
            let at = clock.now();
            recorder.record(Event::Inspection(Inspection { at, pid, command: shown, variables }));
        }
    }
}

/// The strings of a NUL-terminated list.
fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == 0).filter(|part| !part.is_empty())
}

fn proc(pid: u32, file: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{file}"))
}

fn all_processes() -> HashMap<u32, Stat> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| {
        let text = std::fs::read(proc(pid, "stat")).ok()?;
        Some((pid, stat(&String::from_utf8_lossy(&text))?))
    })
    .collect()
}

/// The fields after the name, which may itself hold parentheses and blanks.
fn stat(text: &str) -> Option<Stat> {
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some(Stat {
        state: fields.next()?.chars().next()?,
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
    })
}

/// The living members of a group and all their living descendants, in order.
fn family(leader: u32, all: &HashMap<u32, Stat>) -> Vec<u32> {
    let belongs = |&pid: &u32| {
        let mut at = pid;
        // Whoever was started meanwhile may seem to be their own ancestor: nobody is that old.
        for _ in 0..all.len() {
            match all.get(&at) {
                Some(stat) if stat.group == leader || at == leader => return true,
                Some(stat) => at = stat.parent,
                None => return false,
            }
        }
        false
    };
    let living = all.iter().filter(|(_, stat)| stat.state != 'Z').map(|(pid, _)| *pid);
    let mut family: Vec<u32> = living.filter(belongs).collect();
    family.sort_unstable();
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_the_group_and_its_descendants_but_no_dead() {
        let stat = |state, parent, group| Stat { state, parent, group };
        let all = HashMap::from([
            (1, stat('S', 0, 1)),
            (10, stat('S', 1, 10)),
            (11, stat('S', 10, 10)),
            (12, stat('S', 11, 12)), // left the group
            (13, stat('Z', 10, 10)),
            (20, stat('S', 1, 20)),
            (30, stat('S', 31, 30)),
            (31, stat('S', 30, 31)), // a loop
        ]);
        assert_eq!(family(10, &all), [10, 11, 12]);
        assert!(family(99, &all).is_empty());
    }

    #[test]
    fn the_name_of_a_process_may_be_anything() {
        let read = stat("7 (a) b) (c) S 3 9 9 0 -1").unwrap();
        assert_eq!(read, Stat { state: 'S', parent: 3, group: 9 });
        assert_eq!(stat("nonsense"), None);
    }
}
