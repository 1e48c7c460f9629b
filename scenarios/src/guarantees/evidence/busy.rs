//! When the target answered nobody, and may not have read what Linktree had answered it either.
//!
//! A service on one event loop reads the sockets of visitors and of Linktree in turn. While it computes,
//! nobody gets an answer: visitors who came meanwhile wait, and so does what it must know (predicates,
//! 1). A wait for Linktree is no such sign, nor is one visitor's wait while others are answered, unless
//! several processes answer them.

use super::ticks::Ticks;
use crate::case::Case;
use crate::history::Operation;
use crate::spans::Spans;
use mock_server::clock::Moment;
use std::time::Duration;

/// A shorter time without an answer is no sign of anything.
const LONG: Duration = Duration::from_millis(20);

/// Gathers the answers that visitors got.
pub struct Busy<'c> {
    case: &'c Case,
    /// Milliseconds in which somebody got an answer.
    answered: Ticks,
    /// Visitors who waited for long, and for nothing that Linktree had to say.
    waits: Vec<(Moment, Moment)>,
}

impl<'c> Busy<'c> {
    /// None yet, over this case's page reads.
    #[must_use]
    pub const fn over(case: &'c Case) -> Self {
        Self { case, answered: Ticks::none(), waits: Vec::new() }
    }

    /// Takes in a front-door operation.
    pub fn note(&mut self, operation: &Operation<'_>) {
        let Some(first) = operation.first else { return };
        self.answered.insert(ms(first));
        let (sent, delta) = (operation.sent, self.case.harness.delta);
        if operation.page().is_none() || first.since(sent) < LONG {
            return;
        }
        // Who only asks whether a page is there waits for Linktree as well.
        let asked = self.case.linktree.last_asked_for(&operation.handle, first);
        if asked.is_none_or(|asked| asked.t_known().plus(delta) < sent) {
            self.waits.push((sent, first));
        }
    }

    /// When that was, and when the target stood still, after the last operation.
    #[must_use]
    pub fn spans(&self) -> Hearing {
        let nobody = Ticks::none();
        // Of several processes another one may have answered them.
        let several = self.case.declared.instances > 1;
        let answered = if several { &nobody } else { &self.answered };
        let mut spans: Vec<(Moment, Moment)> = self.case.target.pauses().to_vec();
        for (sent, first) in &self.waits {
            let mut from = *sent;
            let inside = answered.within(ms(*sent), ms(*first)).iter();
            for until in inside.map(|ms| Moment::from_ms(u64::from(*ms))).chain([*first]) {
                if until.since(from) >= LONG {
                    spans.push((from, until));
                }
                from = until;
            }
        }
        Hearing { spans: Spans::joined(spans, Duration::ZERO) }
    }
}

fn ms(moment: Moment) -> u64 {
    moment.0 / 1_000_000
}

/// By when the target must have heard.
pub struct Hearing {
    spans: Spans,
}

impl Hearing {
    /// When the target must have heard of what happened at `at`, if it needs at most `within` while it
    /// reads at all: a pause, or a time in which it answered nobody, leaves it as much time again.
    #[must_use]
    pub fn heard_by(&self, at: Moment, within: Duration) -> Moment {
        let first = self.spans.ending_at_or_after(at);
        let after = first.map_or(&[][..], |(place, _)| &self.spans.all()[place..]);
        let mut by = at.plus(within);
        // What begins later than that, and all after it, leaves no more time.
        for busy in after {
            if busy.0 > by {
                break;
            }
            by = by.max(busy.1.plus(within));
        }
        by
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, click, page, read};

    const WITHIN: Duration = Duration::from_millis(200);

    /// By when, in ms, what happened at 1,000 ms must have been heard; these page views, each of a
    /// creator of its own, were sent and answered then.
    #[track_caller]
    fn check(history: History, views: &[(u64, u64)], expected: u64) {
        let mut history = history;
        history.case.ready();
        let mut busy = Busy::over(&history.case);
        for (n, (sent, first)) in views.iter().enumerate() {
            busy.note(&page(if n == 0 { "ann" } else { "bob" }, *sent, *first, "v0"));
        }
        let by = busy.spans().heard_by(Moment::from_ms(1_000), WITHIN);
        assert_eq!(by, Moment::from_ms(expected), "{views:?}");
    }

    fn nothing() -> History {
        History::over(&[])
    }

    #[test]
    fn while_nobody_is_answered_nothing_is_heard() {
        check(nothing(), &[], 1_200);
        check(nothing(), &[(1_100, 1_350)], 1_550);
        check(nothing(), &[(1_100, 1_350), (1_120, 1_351)], 1_550);
        check(nothing(), &[(1_100, 1_110), (1_190, 1_195)], 1_200);
        check(nothing(), &[(900, 950), (1_300, 1_400)], 1_200);
    }

    #[test]
    fn one_who_waits_while_others_are_answered_shows_nothing() {
        let others = (1_000..1_400).step_by(10).map(|at| (at, at + 1));
        let views: Vec<(u64, u64)> = [(1_100, 1_350)].into_iter().chain(others).collect();
        check(nothing(), &views, 1_200);
    }

    #[test]
    fn who_waits_for_linktree_shows_nothing() {
        check(nothing().exchange(read("ann", 1_120)), &[(1_100, 1_350)], 1_200);
        check(nothing().exchange(read("bob", 1_120)), &[(1_100, 1_350)], 1_550);
        // Asked for before and answered by 995 ms, or after the visitor had his answer, is another matter.
        for (asked, by) in [(994, 1_550), (995, 1_200), (1_350, 1_200), (1_351, 1_550)] {
            check(nothing().exchange(read("ann", asked)), &[(1_100, 1_350)], by);
        }
    }

    #[test]
    fn a_wait_is_long_from_twenty_milliseconds_on_and_a_clicks_is_no_sign() {
        check(nothing(), &[(1_100, 1_119)], 1_200);
        check(nothing(), &[(1_100, 1_120)], 1_320);
        let history = History::over(&[]);
        let mut busy = Busy::over(&history.case);
        busy.note(&click("a", 1_100, 1_350));
        assert!(busy.spans().spans.all().is_empty());
    }

    #[test]
    fn a_pause_counts_as_well() {
        check(nothing().paused(1_100, 1_300), &[], 1_500);
        check(nothing().paused(1_500, 2_000), &[], 1_200);
        check(nothing().paused(1_500, 2_000), &[(1_100, 1_350)], 2_200);
    }
}
