//! How late arrivals were and how many came, as their own operations show.

use crate::case::Case;
use crate::history::{Lateness, Operation};
use crate::plan::MAX_ARRIVALS;
use mock_server::clock::Moment;
use std::collections::BTreeMap;

/// Arrivals so far, seen through their first operations: the others begin when these have ended.
#[derive(Clone, Debug)]
pub struct Punctuality {
    /// sent − intended of the arrivals.
    pub lateness: Lateness,
    /// How many there were.
    pub arrivals: u64,
    /// Most of them in any second of the plan.
    pub peak_per_s: u64,
    armed: Moment,
    seen: Newcomers,
    in_second: BTreeMap<u64, u64>,
}

impl Punctuality {
    /// Nobody has come yet.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        Self {
            lateness: Lateness::default(),
            arrivals: 0,
            peak_per_s: 0,
            armed: case.harness.armed,
            seen: Newcomers::default(),
            in_second: BTreeMap::new(),
        }
    }

    /// Sees an operation; of one arrival they come in order of time.
    pub fn operation(&mut self, operation: &Operation<'_>) {
        if !self.seen.is_first(operation.arrival) {
            return;
        }
        self.arrivals += 1;
        self.lateness.record(operation.sent.since(operation.intended));
        let second = operation.sent.since(self.armed).as_secs();
        let count = self.in_second.entry(second).or_default();
        *count += 1;
        self.peak_per_s = self.peak_per_s.max(*count);
    }
}

/// Tells whoever comes for the first time: a bit for each arrival that was seen.
#[derive(Clone, Debug, Default)]
pub struct Newcomers(Vec<u64>);

impl Newcomers {
    /// Whether nothing was seen of this arrival before. A number that no schedule has is taken for an
    /// arrival of its own.
    pub fn is_first(&mut self, arrival: u64) -> bool {
        if arrival >= MAX_ARRIVALS {
            return true;
        }
        let (word, bit) = (usize::try_from(arrival / 64).unwrap_or(0), 1 << (arrival % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let first = self.0[word] & bit == 0;
        self.0[word] |= bit;
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, page};
    use std::time::Duration;

    #[test]
    fn an_arrival_counts_once_and_is_as_late_as_its_first_step() {
        let history = History::over(&[]);
        let mut seen = Punctuality::of(&history.case);
        let step = |arrival, sent_ms, intended_ms| Operation {
            arrival,
            intended: Moment::from_ms(intended_ms),
            sent: Moment::from_ms(sent_ms),
            ..page("ann", sent_ms, sent_ms + 1, "v1")
        };
        for operation in [step(0, 2_500, 0), step(1, 900, 900), step(0, 2_600, 2_600)] {
            seen.operation(&operation);
        }
        assert_eq!((seen.arrivals, seen.lateness.count(), seen.peak_per_s), (2, 2, 1));
        assert_eq!(Duration::from_micros(seen.lateness.max_us()), Duration::from_millis(2_500));
        for _ in 0..2 {
            seen.operation(&step(u64::MAX, 2_700, 2_700));
        }
        assert_eq!((seen.arrivals, seen.peak_per_s), (4, 3));
    }
}
