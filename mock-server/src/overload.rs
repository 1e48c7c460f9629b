//! Says in the log and in the history that the mock could not do its work, but not over and over.

use crate::clock::{Clock, Moment};
use crate::history::record::{Overload, Record, Recorder};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One word of it for each cause in so long is enough.
const PAUSE: Duration = Duration::from_secs(1);

/// Where overload is said.
pub(crate) struct Overloads {
    clock: Clock,
    recorder: Arc<dyn Recorder>,
    said: Mutex<Said>,
}

/// When each cause was last said, of those that are silenced at present.
#[derive(Default)]
struct Said(HashMap<String, Moment>);

impl Overloads {
    pub fn new(clock: Clock, recorder: Arc<dyn Recorder>) -> Self {
        Self { clock, recorder, said: Mutex::default() }
    }

    /// Says what was exhausted, unless it was said a moment ago.
    pub fn say(&self, what: &str) {
        let at = self.clock.now();
        if self.said.lock().unwrap_or_else(PoisonError::into_inner).is_due(what, at) {
            tracing::warn!(what, "the mock is overloaded");
            self.recorder.record(Record::Overload(Overload { at, what: what.to_owned() }));
        }
    }
}

impl Said {
    fn is_due(&mut self, what: &str, now: Moment) -> bool {
        self.0.retain(|_, said| now.since(*said) < PAUSE);
        let due = !self.0.contains_key(what);
        if due {
            self.0.insert(what.to_owned(), now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_said_once_in_a_second_and_then_forgotten() {
        let mut said = Said::default();
        let mut check = |what: &str, at_ms: u64, due: bool, silenced: usize| {
            assert_eq!(said.is_due(what, Moment::from_ms(at_ms)), due, "{what} at {at_ms} ms");
            assert_eq!(said.0.len(), silenced, "{what} at {at_ms} ms");
        };
        check("a", 0, true, 1);
        check("a", 999, false, 1);
        check("b", 999, true, 2);
        check("a", 1_000, true, 2);
        check("a", 1_999, false, 1);
    }
}
