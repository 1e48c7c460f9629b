//! The deliveries that were dealt with lately.
//!
//! They are forgotten with the process: having a page asked for once more is no harm.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// Known at once, at the most; the oldest are forgotten first.
const MOST: usize = 100_000;

/// Deliveries by what tells them apart.
#[derive(Debug)]
pub struct Seen {
    remembered: Duration,
    order: VecDeque<(Instant, String)>,
    known: HashSet<String>,
}

impl Seen {
    /// Nothing was seen; each is remembered for so long.
    pub fn new(remembered: Duration) -> Self {
        Self { remembered, order: VecDeque::new(), known: HashSet::new() }
    }

    /// Whether it was dealt with.
    pub fn knows(&mut self, key: &str, now: Instant) -> bool {
        self.forget(now);
        self.known.contains(key)
    }

    /// It has been dealt with.
    pub fn note(&mut self, key: String, now: Instant) {
        self.forget(now);
        if self.known.insert(key.clone()) {
            self.order.push_back((now, key));
        }
    }

    fn forget(&mut self, now: Instant) {
        let is_old = |at: Instant| at + self.remembered <= now;
        while self.order.len() >= MOST || self.order.front().is_some_and(|(at, _)| is_old(*at)) {
            if let Some((_, key)) = self.order.pop_front() {
                self.known.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn what_was_dealt_with_is_known_for_a_while() {
        let (mut seen, now) = (Seen::new(Duration::from_secs(60)), clock::now());
        assert!(!seen.knows("a", now));
        seen.note("a".into(), now);
        seen.note("a".into(), now + Duration::from_secs(30));
        assert!(seen.knows("a", now + Duration::from_secs(59)));
        assert!(!seen.knows("a", now + Duration::from_secs(60)));
        for n in 0..=MOST {
            seen.note(n.to_string(), now);
        }
        assert!(!seen.knows("0", now) && seen.knows(&MOST.to_string(), now));
    }
}
