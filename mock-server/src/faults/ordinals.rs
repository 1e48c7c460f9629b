//! Counts a rule's requests for each request key, in bounded memory.

use crate::retained::Retained;
use crate::seed::digest;
use std::sync::{Mutex, PoisonError};

/// Request keys that one rule remembers, about 80 bytes each. A click has a key of its own, so a
/// rule for clicks forgets the oldest ones after so many; a retry comes long before that.
const KEYS: usize = 100_000;

/// For so long after its window a rule's ordinals are kept, milliseconds: requests that arrived in
/// the window may be decided a little later, and after others that did not.
const GRACE_MS: u64 = 60_000;

/// How often one rule has seen each request key. A key beyond the bound starts anew.
#[derive(Debug)]
pub(crate) struct Ordinals(Mutex<Retained<u128, u64>>);

impl Default for Ordinals {
    fn default() -> Self {
        Self(Mutex::new(Retained::new(KEYS)))
    }
}

impl Ordinals {
    /// The ordinal of this request among those with the same key, from 0.
    pub fn next(&self, key: &str) -> u64 {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = seen.or_insert_with(digest(&["ordinal", key]), || 0);
        *count += 1;
        *count - 1
    }

    /// Forgets everything once a window that ended at `until_ms` is over for good.
    pub fn end(&self, until_ms: u64, now_ms: u64) {
        if now_ms.checked_sub(GRACE_MS).is_some_and(|past| past >= until_ms) {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !seen.is_empty() {
                *seen = Retained::new(KEYS);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_counted_by_itself_until_the_window_is_over_for_good() {
        let ordinals = Ordinals::default();
        assert_eq!(["a", "b", "a", "a"].map(|key| ordinals.next(key)), [0, 0, 1, 2]);
        ordinals.end(100, 100);
        ordinals.end(100, 100 + GRACE_MS - 1);
        assert_eq!(ordinals.next("a"), 3, "a straggler from the window");
        ordinals.end(100, 100 + GRACE_MS);
        assert_eq!(ordinals.next("a"), 0);
        assert_eq!(ordinals.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn however_many_keys_come_no_more_than_the_bound_are_kept() {
        let ordinals = Ordinals::default();
        for click in 0..=KEYS {
            ordinals.next(&format!("POST /v1/clicks {click}"));
        }
        assert_eq!(ordinals.0.lock().unwrap().len(), KEYS);
        assert_eq!(ordinals.next("POST /v1/clicks 1"), 1, "recent ones are remembered");
        assert_eq!(ordinals.next("POST /v1/clicks 0"), 0, "the oldest was forgotten");
    }
}
