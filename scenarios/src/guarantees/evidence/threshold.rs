//! The near side of a breaker's threshold: when it must still be closed, and after how many failures.
//!
//! It is known to be closed after a start, or after so many successes in a row that every breaker has
//! forgotten what was before (predicates, B4). From then on everything that may count as a failure is
//! one, whoever counts it; up to the declared number of them a breaker lets every call through.

use super::circuit::{Class, class, earliest_known, is_guarded_like_pages};
use crate::case::Case;
use crate::history::Change;
use mock_server::clock::Moment;
use mock_server::history::exchange::Exchange;

/// Successes in a row after which every breaker is closed, whatever it remembers.
const CALM: usize = 20;

/// When a breaker must be closed.
#[derive(Clone, Debug, Default)]
pub struct Threshold {
    stretches: Vec<Stretch>,
}

#[derive(Clone, Debug)]
struct Stretch {
    from: Moment,
    until: Moment,
    /// When each possible failure may first have been known, fewer than open a breaker.
    failures: Vec<Moment>,
}

/// What ends or begins certainty, in order of time.
enum Event<'c> {
    Attempt(&'c Exchange),
    Started,
    Lost,
}

impl Threshold {
    /// Reads it from the case.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        let guarded = case.linktree.exchanges.iter().filter(|one| is_guarded_like_pages(case, one));
        let attempts = guarded.chain(&case.linktree.connections);
        let mut events: Vec<(Moment, Event<'_>)> =
            attempts.map(|one| (one.t_known(), Event::Attempt(one))).collect();
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
        let begin = |from| Some(Stretch { from, until: Moment(u64::MAX), failures: Vec::new() });
        for (at, event) in events {
            match event {
                Event::Lost => {
                    all.extend(open.take().map(|stretch| Stretch { until: at, ..stretch }));
                    calm = 0;
                }
                Event::Started => (open, calm) = (begin(at), 0),
                Event::Attempt(one) if class(case, one) == Class::Success => {
                    calm += 1;
                    let begun_anew = open.as_ref().is_none_or(|open| !open.failures.is_empty());
                    if calm >= CALM && begun_anew {
                        all.extend(open.take().map(|stretch| Stretch { until: at, ..stretch }));
                        open = begin(at);
                    }
                }
                Event::Attempt(one) => {
                    calm = 0;
                    let Some(stretch) = &mut open else { continue };
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

    /// How many failures a breaker that must be closed all through this span may have counted by its
    /// end; none where it may be open.
    #[must_use]
    pub fn failures_while_closed(&self, from: Moment, until: Moment) -> Option<usize> {
        let holds = |stretch: &&Stretch| stretch.from < from && until < stretch.until;
        let stretch = self.stretches.iter().find(holds)?;
        Some(stretch.failures.iter().filter(|known| **known <= until).count())
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
    fn a_start_closes_it_and_a_pause_makes_it_uncertain() {
        let (no, at) = (None, Some);
        let killed = failing(&[3, 4]).killed_until(5_500, 5_600);
        check(killed, [no, at(0), at(1), at(2), at(2), at(0), at(0), at(0), at(0)]);
        check(failing(&[3]).paused(4_500, 4_600), [no, at(0), at(1), at(1), no, no, no, no, no]);
    }
}
