//! Reads a history in order while it grows, from any sequence number on.

use super::History;
use crate::history::record::Record;
use std::sync::Arc;

/// Records that are taken out under one lock, at most.
const BATCH: usize = 256;

/// A reader's place in a history. It holds nothing back: what it does not read in time is gone,
/// and counted.
pub struct Follower {
    history: History,
    next: u64,
}

/// Records that follow each other.
#[derive(Clone, Debug)]
pub struct Batch {
    /// How many records were gone before they could be read here.
    pub missed: u64,
    /// The sequence number of the first record.
    pub first: u64,
    /// The records.
    pub records: Vec<Arc<Record>>,
}

impl History {
    /// Follows the records from a sequence number on; from the oldest kept without one.
    #[must_use]
    pub fn follow(&self, from: Option<u64>) -> Follower {
        let next = from.unwrap_or_else(|| self.ring().first);
        Follower { history: self.clone(), next }
    }
}

impl Follower {
    /// What is there now; nothing when everything was read.
    pub fn read(&mut self) -> Option<Batch> {
        let ring = self.history.ring();
        let missed = ring.first.saturating_sub(self.next);
        let first = self.next.max(ring.first);
        let skip = usize::try_from(first - ring.first).unwrap_or(usize::MAX);
        let records: Vec<_> = ring.kept.iter().skip(skip).take(BATCH).cloned().collect();
        if missed == 0 && records.is_empty() {
            return None;
        }
        self.next = first + records.len() as u64;
        Some(Batch { missed, first, records })
    }

    /// What comes next, as soon as there is something; none when the mock has stopped and
    /// everything was read. Giving up waiting loses nothing.
    pub async fn next(&mut self) -> Option<Batch> {
        let history = self.history.clone();
        let from = self.next;
        let ready = || {
            let ring = history.ring();
            (ring.closed || from < ring.next()).then_some(())
        };
        history.until(ready).await;
        self.read()
    }
}
