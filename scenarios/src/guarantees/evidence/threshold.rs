//! The near side of a breaker's threshold: when it must still be closed, and after how many failures.
//!
//! It is known to be closed after a start, or after so many successes in a row that every breaker has
//! forgotten what was before (predicates, B4), and nothing that failed lies within its sampling window.
//! Of several instances nobody knows to which one the successes were told, so that only a start closes
//! all of them. From then on everything that may count as a failure is one, whoever counts it; up to the
//! declared number of them a breaker lets every call through. Where calls are counted, the attempts of
//! one are one failure.

use super::circuit::{Class, class, earliest_known, is_guarded_like_pages};
use crate::case::{Case, JudgedExchange, LogicalKey};
use crate::history::Change;
use crate::plan::BreakerCounting;
use mock_server::clock::Moment;
use std::collections::HashMap;
use std::time::Duration;

/// Successes in a row after which every breaker is closed, whatever it remembers.
const CALM: usize = 20;

/// When a breaker must be closed.
#[derive(Clone, Debug, Default)]
pub struct Threshold {
    /// In order of time: each ends before the next begins, or just then.
    stretches: Vec<Stretch>,
}

#[derive(Clone, Debug)]
struct Stretch {
    from: Moment,
    until: Moment,
    /// When each possible failure may first have been known, fewer than open a breaker.
    failures: Vec<Moment>,
}

impl Stretch {
    const fn begin(from: Moment) -> Self {
        Self { from, until: Moment(u64::MAX), failures: Vec::new() }
    }
}

/// Where calls are counted, how often each request failed in the stretch that lasts.
#[derive(Default)]
struct Attempts<'c>(HashMap<LogicalKey<'c>, u32>);

impl<'c> Attempts<'c> {
    /// Whether this attempt may be one more failure than there were.
    fn counts(&mut self, case: &Case, attempt: &'c JudgedExchange) -> bool {
        match case.declared.breaker_counting {
            BreakerCounting::Attempt => true,
            BreakerCounting::Call => {
                let failed = self.0.entry(attempt.logical_key()).or_default();
                *failed += 1;
                *failed % case.declared.attempts_counted_once()
                    == 1 % case.declared.attempts_counted_once()
            }
        }
    }
}

/// What ends or begins certainty, in order of time.
enum Event<'c> {
    Attempt(&'c JudgedExchange),
    Started,
    Lost,
}

impl Threshold {
    /// Reads it from the case.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        let guarded = case.linktree.exchanges.iter().filter(|one| is_guarded_like_pages(case, one));
        let attempts = guarded.chain(&case.linktree.connections);
        let mut events: Vec<(Moment, Event<'_>)> = Vec::with_capacity(attempts.clone().count());
        events.extend(attempts.map(|one| (one.t_known(), Event::Attempt(one))));
        let changes = case.target.processes.iter().filter_map(|process| match process.change {
            Change::Started { .. } => Some((process.at, Event::Started)),
            Change::Ready => None,
            _ => Some((process.at, Event::Lost)),
        });
        events.extend(changes);
        events.extend(case.linktree.refusals().map(|(from, _)| (from, Event::Lost)));
        events.sort_by_key(|(at, _)| *at);
        let needed = case.declared.breaker_failures.max(1) as usize;
        let (mut all, mut open, mut calm) = (Vec::new(), None::<Stretch>, 0);
        let (mut failed, mut attempts) = (None::<Moment>, Attempts::default());
        let window = case.times.breaker_window.map(|window| window + case.harness.delta);
        let is_one = case.declared.instances <= 1;
        for (at, event) in events {
            match event {
                Event::Lost => {
                    all.extend(open.take().map(|stretch| Stretch { until: at, ..stretch }));
                    calm = 0;
                }
                Event::Started => {
                    (open, calm, failed) = (Some(Stretch::begin(at)), 0, None);
                    attempts = Attempts::default();
                }
                Event::Attempt(one) if class(case, one) == Class::Success => {
                    calm += 1;
                    let begun_anew = open.as_ref().is_none_or(|open| !open.failures.is_empty());
                    let since = failed.map_or(Duration::MAX, |failed| at.since(failed));
                    let forgotten = window.is_none_or(|window| since > window);
                    if is_one && calm >= CALM && forgotten && begun_anew {
                        all.extend(open.take().map(|stretch| Stretch { until: at, ..stretch }));
                        (open, attempts) = (Some(Stretch::begin(at)), Attempts::default());
                    }
                }
                Event::Attempt(one) => {
                    (calm, failed) = (0, Some(at));
                    let Some(stretch) = &mut open else { continue };
                    if !attempts.counts(case, one) {
                        continue;
                    }
                    let known = earliest_known(case, one);
                    if stretch.failures.len() + 1 < needed {
                        stretch.failures.push(known);
                    } else {
                        all.extend(open.take().map(|stretch| Stretch { until: known, ..stretch }));
                    }
                }
            }
        }
        all.extend(open);
        Self { stretches: all }
    }

    /// From when until when it must be closed, in order of time, and when the first failure meanwhile may have
    /// been known, if there was one.
    pub fn stretches(&self) -> impl Iterator<Item = (Moment, Moment, Option<Moment>)> {
        self.stretches.iter().map(|one| (one.from, one.until, one.failures.first().copied()))
    }

    /// How many failures a breaker that must be closed all through this span may have counted by its
    /// end; none where it may be open.
    #[must_use]
    pub fn failures_while_closed(&self, from: Moment, until: Moment) -> Option<usize> {
        // Those before the last that has begun then are over.
        let begun = self.stretches.partition_point(|stretch| stretch.from < from);
        let stretch = begun.checked_sub(1).map(|last| &self.stretches[last])?;
        let holds = until < stretch.until;
        holds.then(|| stretch.failures.iter().filter(|known| **known <= until).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, read, refused};

    /// After twenty successes within two seconds come these failures, in seconds; what is known of
    /// the breaker at each second from 1 to 9.
    #[track_caller]
    fn check(history: History, expected: [Option<usize>; 9]) {
        let mut history = history.exchanges((0..20).map(|n| read("ann", n * 100)));
        history.case.ready();
        let threshold = Threshold::of(&history.case);
        let at = |second: u64| Moment::from_ms(second * 1_000);
        let seen: Vec<_> =
            (1..10).map(|second| threshold.failures_while_closed(at(second), at(second))).collect();
        assert_eq!(seen, expected);
    }

    fn failing(seconds: &[u64]) -> History {
        let fail = |second: &u64| refused("ann", second * 1_000 - 500, 503);
        History::over(&[]).exchanges(seconds.iter().map(fail))
    }

    #[test]
    fn it_is_closed_from_the_twentieth_success_to_the_fifth_failure() {
        let (no, at) = (None, Some);
        check(failing(&[]), [no, at(0), at(0), at(0), at(0), at(0), at(0), at(0), at(0)]);
        check(failing(&[4, 5, 6]), [no, at(0), at(0), at(1), at(2), at(3), at(3), at(3), at(3)]);
        check(failing(&[3, 4, 5, 6, 7]), [no, at(0), at(1), at(2), at(3), at(4), no, no, no]);
    }

    #[test]
    fn attempts_of_a_call_are_one_failure_where_calls_are_counted() {
        let (no, at) = (None, Some);
        let calls = |history: History| {
            let mut history = history.exchanges((0..20).map(|n| read("ann", n * 100)));
            history.case.declared.breaker_counting = BreakerCounting::Call;
            history.case.declared.breaker_failures = 2;
            history.case.declared.max_attempts = 3;
            history.case.ready();
            let threshold = Threshold::of(&history.case);
            let at = |second: u64| Moment::from_ms(second * 1_000);
            [3, 4, 5, 6, 7].map(|second| threshold.failures_while_closed(at(second), at(second)))
        };
        assert_eq!(calls(failing(&[3, 4, 5])), [at(1); 5]);
        assert_eq!(calls(failing(&[3, 4, 5, 6])), [at(1), at(1), at(1), no, no]);
        let bob = refused("bob", 3_500, 503);
        assert_eq!(calls(failing(&[3]).exchange(bob)), [at(1), no, no, no, no]);
    }

    #[test]
    fn what_lies_within_the_sampling_window_is_not_forgotten_and_one_of_several_may_be_open() {
        let (no, at) = (None, Some);
        let before = || failing(&[3, 4]).exchanges((0..25).map(|n| read("bob", 4_000 + n * 100)));
        let seen = |history: History| {
            let mut history = history;
            history.case.ready();
            let threshold = Threshold::of(&history.case);
            let at = |second: u64| Moment::from_ms(second * 1_000);
            [6, 7, 8].map(|second| threshold.failures_while_closed(at(second), at(second)))
        };
        assert_eq!(seen(before()), [at(0); 3]);
        let window = |ms| before().declaring(|one| one.breaker_window_ms = Some(ms));
        assert_eq!(seen(window(2_000)), [at(0); 3]);
        assert_eq!(seen(window(10_000)), [no; 3]);
        assert_eq!(seen(before().declaring(|one| one.instances = 2)), [no; 3]);
    }

    #[test]
    fn twenty_successes_begin_anew_what_a_failure_ended_once_the_window_has_passed() {
        let (no, at) = (None, Some);
        // The failure is known at 2,505 ms; forty successes from 3,005 to 6,905 ms.
        let seen = |window, spans: [(u64, u64); 3]| {
            let after =
                failing(&[3]).exchanges((0..20).chain(30..70).map(|n| read("ann", n * 100)));
            let mut history = after.declaring(|one| one.breaker_window_ms = window);
            history.case.ready();
            let threshold = Threshold::of(&history.case);
            spans.map(|span| {
                let [from, until] = [span.0, span.1].map(Moment::from_ms);
                threshold.failures_while_closed(from, until)
            })
        };
        let spans = [(2_600, 4_904), (4_904, 4_905), (4_906, 6_950)];
        assert_eq!(seen(None, spans), [at(1), no, at(0)]);
        let spans = [(2_600, 5_604), (5_604, 5_605), (5_606, 6_950)];
        assert_eq!(seen(Some(2_900), spans), [at(1), no, at(0)]);
    }

    #[test]
    fn a_start_closes_it_and_a_pause_makes_it_uncertain() {
        let (no, at) = (None, Some);
        let killed = failing(&[3, 4]).killed_until(5_500, 5_600);
        check(killed, [no, at(0), at(1), at(2), at(2), at(0), at(0), at(0), at(0)]);
        check(failing(&[3]).paused(4_500, 4_600), [no, at(0), at(1), at(1), no, no, no, no, no]);
    }

    #[test]
    fn what_is_known_is_known_from_its_moment_on() {
        let mut history =
            failing(&[3, 4, 5, 6, 7]).exchanges((0..20).map(|n| read("ann", n * 100)));
        history.case.ready();
        let threshold = Threshold::of(&history.case);
        let seen = |from: u64, until: u64| {
            threshold.failures_while_closed(Moment::from_ms(from), Moment::from_ms(until))
        };
        assert_eq!([seen(1_905, 2_000), seen(1_906, 2_000)], [None, Some(0)]);
        assert_eq!([seen(2_000, 2_504), seen(2_000, 2_505)], [Some(0), Some(1)]);
        assert_eq!([seen(2_000, 6_504), seen(2_000, 6_505)], [Some(4), None]);
    }
}
