//! Records each different body that visitors are shown once, as long as there is room.

use super::recorder::Recorder;
use scenarios::history::{Body, BodyCount, BodyHash, Event, Operation};
use scenarios::traffic::Answer;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// As much of one body as is recorded, bytes.
const OF_ONE: usize = 64 * 1024;
/// Bodies that are recorded: several for each creator of the largest scenario.
const MOST: usize = 4_096;
/// Bytes of all of them together, which a judge holds in memory.
const IN_ALL: usize = 32 * 1024 * 1024;

/// The bodies of one scenario.
pub struct Bodies {
    recorder: Recorder,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    hashes: HashSet<BodyHash>,
    bytes: usize,
    count: BodyCount,
}

impl Bodies {
    /// Nothing has been shown yet.
    #[must_use]
    pub fn new(recorder: &Recorder) -> Self {
        Self { recorder: recorder.clone(), kept: Mutex::default() }
    }

    /// What a visitor was shown.
    pub fn answer(&self, operation: &Operation<'_>, answer: &Answer) {
        let Some(hash) = operation.did.body() else { return };
        let beginning = &answer.body[..answer.body.len().min(OF_ONE)];
        let cut = beginning.len() as u64 != answer.bytes;
        if self.kept().takes(hash, beginning.len(), cut) {
            let text = String::from_utf8_lossy(beginning).into_owned();
            let page = answer.page.as_deref().cloned().unwrap_or_default();
            let (links, repeated) = (page.links, page.repeated);
            let body = Body { hash, bytes: answer.bytes, cut, links, repeated, text };
            self.recorder.record(Event::Body(Box::new(body)));
        }
    }

    /// Records how many there were; the last thing to do.
    pub fn finish(&self) {
        self.recorder.record(Event::Bodies(self.kept().count));
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Whether a body is to be recorded; it is counted either way.
    fn takes(&mut self, hash: BodyHash, bytes: usize, cut: bool) -> bool {
        if self.hashes.contains(&hash) {
            return false;
        }
        if self.hashes.len() >= MOST || self.bytes + bytes > IN_ALL {
            self.count.left_out += 1;
            return false;
        }
        self.hashes.insert(hash);
        self.bytes += bytes;
        self.count.recorded += 1;
        self.count.cut += u64::from(cut);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(recorded: u64, cut: u64, left_out: u64) -> BodyCount {
        BodyCount { recorded, cut, left_out }
    }

    #[test]
    fn a_body_is_taken_once_and_what_has_no_room_is_counted() {
        let mut kept = Kept::default();
        let nth = |n: usize| BodyHash::of(&n.to_le_bytes());
        assert!(kept.takes(nth(0), 10, false) && !kept.takes(nth(0), 10, false));
        assert!(kept.takes(nth(1), 10, true));
        assert_eq!(kept.count, count(2, 1, 0));
        assert!(!kept.takes(nth(2), IN_ALL - 19, false), "too much in all");
        assert!((2..MOST).all(|n| kept.takes(nth(n), 10, false)));
        assert!(!kept.takes(nth(MOST), 10, false) && !kept.takes(nth(0), 10, false));
        assert_eq!(kept.count, count(MOST as u64, 1, 2));
    }
}
