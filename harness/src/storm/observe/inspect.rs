//! Looks into the processes of the target: what their command lines and environments hold.
//!
//! All that descend from its guard, whatever their process group. Each is looked into once, and again
//! when it has become another program.

use super::search::{Search, Spot};
use crate::process::system::{self, StartedWith};
use crate::process::tree;
use crate::storm::recorder::Recorder;
use mock_server::clock::Clock;
use scenarios::history::Event;
use scenarios::observed::{Inspection, Place};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// As much of a command line as is recorded.
const SHOWN: usize = 120;

/// Who has been looked into.
#[derive(Default)]
pub struct Inspector {
    known: HashSet<(u32, u64)>,
}

impl Inspector {
    /// Looks into every descendant of `root` that was not looked into before.
    pub fn look(&mut self, root: u32, search: &Search, recorder: &Recorder, clock: Clock) {
        for pid in tree::family(root).into_iter().map(|one| one.pid) {
            // None when it has ended meanwhile.
            let Some(with) = system::started_with(pid) else { continue };
            let mut hasher = DefaultHasher::new();
            with.hash(&mut hasher);
            if !self.known.insert((pid, hasher.finish())) {
                continue;
            }
            let StartedWith { words, variables } = with;
            let name =
                String::from_utf8_lossy(words.first().map(Vec::as_slice).unwrap_or_default());
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            for (index, word) in words.iter().enumerate() {
                let argument = || Spot(format!("argument {index} of {name}"), String::new());
                search.look(Place::CommandLine, word, argument);
            }
            let variables = variables.map(|variables| {
                let look = |variable: &Vec<u8>| {
                    let end = variable.iter().position(|byte| *byte == b'=');
                    let key = String::from_utf8_lossy(&variable[..end.unwrap_or(0)]);
                    let of = || Spot(format!("{key} of {name}"), String::new());
                    search.look(Place::Environment, variable, of);
                };
                variables.iter().map(look).count() as u64
            });
            let shown = String::from_utf8_lossy(&words.join(&b' ')).into_owned();
            let shown = search.redacted(&shown).chars().take(SHOWN).collect();
            let at = clock.now();
            recorder.record(Event::Inspection(Inspection { at, pid, command: shown, variables }));
        }
    }
}
