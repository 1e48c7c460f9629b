//! Failures in a row since the breaker was closed, and what every breaker of the declared kind makes of
//! them.
//!
//! Where a sampling window is declared, only failures within a part of it add up for certain, since
//! windows are kept in parts, and none that a success within it may outweigh: so breakers that measure a
//! ratio are judged from a quiet start (predicates, B4). Failures that a success should have wiped out
//! may still be counted then, and so move the earliest probe.

use super::{Class, calls, class, earliest_known, sure_part};
use crate::case::{Case, JudgedExchange};
use crate::plan::BreakerCounting;
use mock_server::clock::Moment;
use std::time::Duration;

/// What it takes for a breaker to be open for certain.
pub struct Needs {
    /// Failed attempts in a row.
    pub failures: usize,
    /// Within this.
    within: Option<Duration>,
}

impl Needs {
    /// Of a breaker that stands before these attempts. One that counts calls has failed for certain
    /// where every call that may be under way has used up its attempts.
    pub fn of(case: &Case, attempts: &[&JudgedExchange]) -> Self {
        let declared = &case.declared;
        let failures = declared.breaker_failures.max(1) as usize;
        let failures = match declared.breaker_counting {
            BreakerCounting::Attempt => failures,
            BreakerCounting::Call => {
                let beside = calls::most_at_once(case, attempts).saturating_sub(1);
                (failures + beside) * declared.attempts_counted_once() as usize
            }
        };
        let sure = |window: Duration| sure_part(window).saturating_sub(case.harness.delta);
        Self { failures, within: case.times.breaker_window.map(sure) }
    }
}

/// What came in a row since the breaker was closed for certain.
#[derive(Default)]
pub struct Row<'c> {
    closed_since: Option<Moment>,
    /// The last success or unclear result.
    settled: Moment,
    /// The last success, from which on a window is not quiet.
    succeeded: Option<Moment>,
    /// Definite failures since.
    pub failures: Vec<&'c JudgedExchange>,
    /// When each failure that may count may have been known.
    pub possible: Vec<Moment>,
    /// Successes still missing until a half-open breaker is closed for certain.
    missing: u32,
}

impl<'c> Row<'c> {
    /// Of a breaker that was closed then, if that is known.
    pub fn since(closed_since: Option<Moment>) -> Self {
        Self { closed_since, ..Self::default() }
    }

    /// Of a breaker whose probes have succeeded, or some of them: `closed` if all.
    pub fn after_probes(case: &Case, first: Moment, closed: Option<Moment>) -> Self {
        let declared = &case.declared;
        // A window that reaches back behind the open time still holds the failures before it.
        let remembers = |window| window >= case.times.breaker_open;
        let missing = match case.times.breaker_window {
            Some(window) if remembers(window) => u32::MAX,
            _ => declared.half_open_probes.max(1) - 1,
        };
        let (settled, succeeded) = (first, Some(first));
        Self { closed_since: closed, settled, succeeded, missing, ..Self::default() }
    }

    /// Takes in a result.
    pub fn take(&mut self, case: &Case, attempt: &'c JudgedExchange) {
        let (known, delta) = (attempt.t_known(), case.harness.delta);
        match class(case, attempt) {
            Class::Success => {
                let kept = case.times.breaker_window.unwrap_or_default() + delta;
                self.possible.retain(|moment| moment.plus(kept) > known);
                self.closed_since = Some(known);
                self.succeeded = Some(known);
                self.missing = self.missing.saturating_sub(1);
            }
            Class::Dropped => {
                self.possible.push(earliest_known(case, attempt));
                return;
            }
            Class::Unclear => self.possible.push(earliest_known(case, attempt)),
            Class::Failure => {
                self.possible.push(earliest_known(case, attempt));
                let after = self.closed_since.is_some_and(|closed| attempt.t_req > closed);
                if after && known > self.settled.plus(delta) && may_be_all_of_a_call(case, attempt)
                {
                    self.failures.push(attempt);
                }
                return;
            }
        }
        self.settled = known;
        self.failures.clear();
    }

    /// Whether it is open now, whatever it made of all that. Forgets what lies too far back.
    pub fn is_enough(&mut self, case: &Case, needs: &Needs) -> bool {
        let beyond = self.failures.len().saturating_sub(needs.failures);
        self.failures.drain(..beyond);
        let (Some(first), Some(last)) = (self.failures.first(), self.failures.last()) else {
            return false;
        };
        let (from, until) = (first.t_known(), last.t_known());
        let is_quiet = |window: Duration| {
            let loud = |at: Moment| until <= at.plus(window + case.harness.delta);
            !self.succeeded.is_some_and(loud)
        };
        self.failures.len() >= needs.failures
            && needs.within.is_none_or(|within| until.since(from) <= within)
            && case.times.breaker_window.is_none_or(is_quiet)
    }

    /// The first moment at which it may have opened.
    pub fn earliest_trip(&mut self, case: &Case) -> Moment {
        self.possible.sort_unstable();
        let failures = case.declared.breaker_failures.max(1) as usize;
        let enough = if self.missing > 0 { 1 } else { failures };
        // Until the last success it was not open, whatever it remembers of the time before.
        let closed = self.succeeded.map_or(Moment::ZERO, |at| at.minus(case.harness.delta));
        let reach = |first: Moment| match case.times.breaker_window {
            Some(window) => first.plus(window + case.harness.delta),
            None => Moment(u64::MAX),
        };
        let rows = self.possible.windows(enough).map(|row| (row[0], row[enough - 1]));
        let mut trips = rows.filter(|(first, last)| *last <= reach(*first) && *last > closed);
        trips.next().map_or_else(|| self.failures[0].t_known(), |(_, last)| last)
    }
}

/// Deliveries of clicks may be tried more often than pages are, so that nobody can say when a call of
/// theirs has failed.
fn may_be_all_of_a_call(case: &Case, attempt: &JudgedExchange) -> bool {
    match case.declared.breaker_counting {
        BreakerCounting::Attempt => true,
        BreakerCounting::Call => attempt.route.is_page_read(),
    }
}
