//! When a client may have refused its own calls: its breaker may have been open, or half-open with a probe
//! under way, or it was told to wait.
//!
//! A breaker may be open once as many attempts as are declared may have counted, and none of them was
//! forgotten for certain: by a success that stands behind the same breaker, or by its window. From then on
//! each further one may be a probe that opens it again, until its probes have succeeded.

use super::circuit::{Class, class, earliest_known, is_guarded};
use crate::case::{Case, JudgedExchange};
use crate::plan::BreakerScope;
use crate::spans::Spans;
use mock_server::clock::Moment;
use mock_server::contract::Route;
use std::collections::HashMap;
use std::time::Duration;

/// These times, of any of its breakers and any call.
#[must_use]
pub fn spans(case: &Case) -> Spans {
    let lasts = case.times.breaker_open_longest + case.harness.delta * 2;
    let mut known: Vec<&JudgedExchange> = case.linktree.exchanges.iter().collect();
    known.sort_unstable_by_key(|one| (one.t_known(), one.id));
    let mut breakers: HashMap<Option<Route>, Breaker> = HashMap::new();
    let mut spans = Vec::new();
    for one in known {
        if is_guarded(one) {
            let guards = match case.declared.breaker_scope {
                BreakerScope::Host => None,
                BreakerScope::Route => Some(one.route),
            };
            let breaker = breakers.entry(guards).or_default();
            if breaker.missing > 0 {
                // While it is half-open, others are refused for as long as a probe takes.
                spans.push((one.t_req, one.t_known()));
            }
            if breaker.may_open(case, one) {
                spans.push((earliest_known(case, one), one.t_known().plus(lasts)));
            }
        }
        if let Some(until) = one.retry_after.as_ref().and_then(|asked| asked.until) {
            spans.push((one.t_known(), until.plus(case.harness.delta)));
        }
    }
    let refused = case.linktree.refusals().map(|(from, until)| (from, until.plus(lasts)));
    Spans::joined(spans.into_iter().chain(refused).collect(), Duration::ZERO)
}

/// What one of them may remember.
#[derive(Default)]
struct Breaker {
    /// Attempts that may count, the last ones, by when they were known.
    counted: Vec<Moment>,
    /// Successes until it is closed for certain; 0 where it is.
    missing: u32,
    /// When the last attempt that may count was known.
    failed: Moment,
}

impl Breaker {
    /// Takes in an attempt; whether it may have opened it.
    fn may_open(&mut self, case: &Case, one: &JudgedExchange) -> bool {
        let (known, delta) = (one.t_known(), case.harness.delta);
        let kept = case.times.breaker_window.unwrap_or_default() + delta;
        if class(case, one) == Class::Success {
            // Another instance has not heard of it.
            if case.declared.instances <= 1 {
                self.counted.retain(|at| at.plus(kept) >= known);
                // One that was sent before may be ignored.
                let heard = self.failed.plus(delta + case.times.limiter_wait);
                self.missing -= u32::from(self.missing > 0 && one.t_req > heard);
            }
            return false;
        }
        if case.times.breaker_window.is_some() {
            self.counted.retain(|at| at.plus(kept) >= known);
        }
        let row = case.declared.breaker_failures.max(1) as usize;
        self.counted.push(known);
        self.counted.drain(..self.counted.len().saturating_sub(row));
        self.failed = known;
        let may_open = self.missing > 0 || self.counted.len() >= row;
        if may_open {
            self.missing = case.declared.half_open_probes.max(1);
        }
        may_open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Declared;
    use crate::testing::{History, asked_to_wait, broken_off, lists_webhooks, read, refused};
    use mock_server::history::exchange::Exchange;

    /// The spans in milliseconds. The breaker opens for 30 s, and a call is known after 5 ms.
    #[track_caller]
    fn check(history: History, expected: &[(u64, u64)]) {
        let mut history = history;
        history.case.ready();
        let ms = |at: Moment| at.0 / 1_000_000;
        let found = spans(&history.case);
        let found: Vec<_> =
            found.all().iter().map(|(from, until)| (ms(*from), ms(*until))).collect();
        assert_eq!(found, expected);
    }

    fn failing(seconds: &[u64]) -> History {
        History::over(&[]).exchanges(seconds.iter().map(|s| refused("ann", s * 1_000, 503)))
    }

    #[test]
    fn a_full_row_may_have_opened_it_and_a_success_begins_another_row() {
        check(failing(&[1, 2, 3, 4]), &[]);
        check(failing(&[1, 2, 3, 4, 5]), &[(5_005, 35_205)]);
        // Some libraries count an answer that others ignore.
        let ignored = refused("bob", 5_000, 404);
        check(failing(&[1, 2, 3, 4]).exchange(ignored), &[(5_005, 35_205)]);
        let between = |ms| failing(&[1, 2, 3, 4, 5]).exchange(read("bob", ms));
        check(between(4_500), &[]);
        // Nobody knows which of those was heard first that end within the tolerance.
        let close = [1_000, 1_010, 1_020, 1_030, 1_050].map(|ms| refused("ann", ms, 503));
        let close = History::over(&[]).exchanges(close).exchange(read("bob", 1_040));
        check(close, &[(1_055, 31_255)]);
        // A look at whether Linktree is there passes by it.
        let health = Exchange { route: Route::Health, ..read("bob", 4_500) };
        check(failing(&[1, 2, 3, 4, 5]).exchange(health), &[(5_005, 35_205)]);
    }

    #[test]
    fn once_it_may_be_open_each_failure_may_open_it_again_until_a_probe_has_succeeded() {
        let again = failing(&[1, 2, 3, 4, 5, 80]);
        check(again, &[(5_005, 35_205), (80_000, 110_205)]);
        let probe = || failing(&[1, 2, 3, 4, 5, 80]).exchange(read("bob", 60_000));
        check(probe(), &[(5_005, 35_205), (60_000, 60_005)]);
        let two = probe().declaring(|of| of.half_open_probes = 2);
        check(two, &[(5_005, 35_205), (60_000, 60_005), (80_000, 110_205)]);
        // It was on its way when the breaker opened.
        let known = Moment::from_ms(5_050);
        let late = Exchange { t_w: Some(known), t_end: known, ..read("bob", 4_990) };
        check(failing(&[1, 2, 3, 4, 5, 80]).exchange(late), &[(4_990, 35_205), (80_000, 110_205)]);
    }

    #[test]
    fn another_route_another_instance_and_a_window_leave_the_row_as_it_is() {
        let others = || failing(&[1, 2, 3, 4, 5]).exchange(lists_webhooks(4_500));
        check(others(), &[]);
        check(others().declaring(|of| of.breaker_scope = BreakerScope::Route), &[(5_005, 35_205)]);
        check(others().declaring(|of| of.instances = 2), &[(5_005, 35_205)]);
        let windowed = |ms| move |of: &mut Declared| of.breaker_window_ms = Some(ms);
        check(others().declaring(windowed(4_000)), &[(5_005, 35_205)]);
        check(failing(&[1, 2, 3, 4, 5]).declaring(windowed(3_800)), &[]);
        check(failing(&[1, 2, 3, 4, 5]).declaring(windowed(3_900)), &[(5_005, 35_205)]);
    }

    #[test]
    fn a_told_wait_and_connections_that_are_refused_count_alone() {
        let told = History::over(&[]).exchange(asked_to_wait("ann", 1_000, 429, 10));
        check(told, &[(1_005, 11_105)]);
        let refused = History::over(&[]).exchange(broken_off("refuse", 1_000, 2_000));
        check(refused, &[(1_000, 32_200)]);
    }
}
