//! Clicks reach Linktree within a minute of becoming deliverable.
//!
//! Blind to: the metric and the alert. Broken by: `replay-slow`, `replay-in-small-batches`.

use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::guarantees::evidence::backlog::{Backlog, Place, WAITED};
use crate::guarantees::evidence::deliveries::Deliveries;
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::verdict::{Verdict, Witness};
use mock_server::clock::Moment;
use std::time::Duration;

pub(super) const WITHIN: Bound = Bound {
    of: "click-lag",
    name: "within_ms",
    what: "a click reaches Linktree this long after it became deliverable, at the latest",
    unit: Unit::ContractTime,
    default: 60_000,
};

const PROMISE: Promise = Promise {
    id: "click-lag",
    statement: "Clicks reach Linktree within 60 s of becoming deliverable.",
    priority: Priority::Standard,
    source: "checklist; predicates B5: LAG, with its feasibility under the rate cap",
    why: "Creators watch their numbers during a launch; late clicks look like lost ones, and a \
          backlog that grows is lost with the disk.",
    usual_fix: "Deliver in batches as soon as the breaker closes, and keep some slots of the rate \
                window for clicks.",
    blind_to: "The exposed lag and its alert, and clicks during which the cap left no room.",
    bounds: &[WITHIN],
    minimums: &[WAITED],
    // A late clockwork notes acknowledgements late, which makes lags shorter.
    when_late: Stands::IfViolated,
    when_overloaded: Stands::Never,
    needs: &[FrontRoute::Clicks],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

/// See the module.
pub struct ClickLag;

struct Lagging<'c> {
    case: &'c Case,
    deliveries: Deliveries<'c>,
    backlog: Backlog<'c>,
    delivered: usize,
    undecided: usize,
    /// The longest that a click whose fate is known took, less what the harness stood still.
    slowest: Option<Duration>,
}

impl Guarantee for ClickLag {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(Lagging {
            case,
            deliveries: Deliveries::of(case),
            backlog: Backlog::of(case),
            delivered: 0,
            undecided: 0,
            slowest: None,
        })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

impl Judge for Lagging<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        let Some(event_id) = operation.event_id() else { return };
        if !operation.is_ok() {
            return;
        }
        let settled = self.deliveries.find(event_id).and_then(|click| click.settled());
        let waits = self.backlog.acknowledged(operation.last, settled);
        match settled {
            Some(at) => {
                self.delivered += 1;
                self.compare(operation, waits, at, true);
            }
            None if self.case.harness.completed()
                && self.compare(operation, waits, self.case.harness.closed, false) => {}
            None => self.undecided += 1,
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let Self { case, backlog, delivered, undecided, slowest, .. } = *self;
        let strength = backlog.strength();
        let (offences, infeasible) = backlog.close();
        let observed = format!(
            "{delivered} clicks reached Linktree; {} came late or not at all, {undecided} are undecided",
            offences.count(),
        );
        let slowest =
            Gauge::within("slowest click", case.time(&WITHIN), case.harness.delta).took(slowest);
        offences
            .verdict(delivered, "acknowledged clicks that reached Linktree")
            .only_if(infeasible.is_none(), infeasible.clone().unwrap_or_default())
            .at_least([strength])
            .measured([slowest], observed, "counted from when it could be delivered")
    }
}

impl Lagging<'_> {
    /// A click whose fate at `at` is known: late beyond δ and beyond what the harness stood still.
    fn compare(
        &mut self,
        operation: &Operation<'_>,
        waits: Place,
        at: Moment,
        has_arrived: bool,
    ) -> bool {
        let (case, since) = (self.case, waits.since);
        let allowed = case.time(&WITHIN) + case.harness.delta;
        let late = at.since(since).saturating_sub(case.harness.stalled_within(since, at));
        let in_time = late <= allowed;
        // What has not arrived, and may still do so in time, took nobody knows how long.
        if has_arrived || !in_time {
            self.slowest = self.slowest.max(Some(late));
        }
        if in_time {
            return false;
        }
        let (fate, end) = if has_arrived {
            ("reached Linktree", "reached Linktree")
        } else {
            ("had not reached Linktree", "the recording ended without it")
        };
        let due = since.plus(allowed);
        self.backlog.offend(waits, (due, late), |hindered| {
            let event_id = operation.event_id().unwrap_or_default();
            let what =
                format!("click {event_id} {fate} {} after it could be delivered", humane(late));
            Witness::new(due, what)
                .line(format!("{} acknowledged at the front door", case.at(operation.last)))
                .line(hindered)
                .line(format!("{} {end}", case.at(at)))
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
    use crate::plan::PhaseKind::{Control, Outage, Settle};
    use crate::testing::{Decides, History, asked_to_wait, click, refused, sent_click};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};

    /// A click acknowledged at 5 ms and delivered at `at_ms`, over 700 s, and later five clicks that
    /// wait for the end of an outage.
    fn delivered(at_ms: u64) -> History {
        let history = History::over(&[(Control, 0, 500), (Outage, 500, 510), (Settle, 510, 700)])
            .operation(click("a", 0, 5))
            .exchange(sent_click("a", at_ms, 202))
            .exchange(refused("ann", 501_000, 503));
        ["v", "w", "x", "y", "z"].into_iter().fold(history, |history, id| {
            history.operation(click(id, 505_000, 505_005)).exchange(sent_click(id, 541_000, 202))
        })
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind) {
        let verdict = history.judged_by(&ClickLag);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }

    pub(super) fn decided() -> Vec<Decides> {
        vec![Decides { bound: &WITHIN, value: 30_000, history: || delivered(60_000) }]
    }

    #[test]
    fn the_bound_is_sharp_but_for_the_tolerance() {
        check(delivered(60_100), Held);
        check(delivered(60_101), Violated);
    }

    #[test]
    fn a_harness_that_stood_still_lengthens_the_bound_by_as_much() {
        check(delivered(62_000).lag(30_000, 2_000), Held);
        check(delivered(63_000).lag(30_000, 2_000), Violated);
    }

    #[test]
    fn an_outage_and_the_open_time_stop_the_clock() {
        // Deliverable from 540 s, like those that wait with it.
        let history = |at_ms| {
            let history = delivered(20).operation(click("late", 502_000, 502_005));
            history.exchange(sent_click("late", at_ms, 202))
        };
        check(history(600_000), Held);
        check(history(600_200), Violated);
    }

    #[test]
    fn a_restart_and_a_pause_stop_the_clock() {
        check(delivered(80_000).killed_until(10_000, 20_000), Held);
        check(delivered(80_200).killed_until(10_000, 20_000), Violated);
        check(delivered(80_000).terminated(10_000, 12_000, 20_000), Held);
        // Calls that were under way may have timed out together and opened the breaker for 30 s.
        check(delivered(110_000).paused(10_000, 20_000), Held);
        check(delivered(110_200).paused(10_000, 20_000), Violated);
    }

    #[test]
    fn a_retry_after_stops_the_clock() {
        check(delivered(65_000).exchange(asked_to_wait("ann", 10, 429, 7)), Held);
        check(delivered(68_000).exchange(asked_to_wait("ann", 10, 429, 7)), Violated);
    }

    #[test]
    fn a_click_that_never_came_is_late_once_its_time_is_over() {
        let one = |at_s: u64| {
            let mut history = delivered(20).operation(click("b", at_s * 1_000, at_s * 1_000 + 5));
            history.case.harness.closed = Moment::from_ms(700_000);
            history
        };
        check(one(640), Held);
        check(one(639), Violated);
        let mut broken = one(639);
        broken.case.harness.outcome = Some(Outcome::Interrupted);
        let verdict = broken.judged_by(&ClickLag);
        assert!(verdict.kind == Held && verdict.observed.ends_with(", 1 are undecided"));
    }

    #[test]
    fn a_backlog_beyond_the_cap_is_inconclusive() {
        let mut history = delivered(70_000);
        history.case.declared.click_slots = 1;
        history.case.contract.batch.max_items = 1;
        check(history.operation(click("b", 0, 6)).exchange(sent_click("b", 9, 202)), Inconclusive);
    }

    #[test]
    fn the_latest_click_is_shown_first_and_clicks_that_never_waited_prove_little() {
        let history = delivered(70_000).operation(click("b", 0, 6));
        let verdict = history.exchange(sent_click("b", 80_000, 202)).judged_by(&ClickLag);
        assert!(verdict.witnesses[0].what.starts_with("click b reached"));
        let quick = History::over(&[(Settle, 0, 300)]).operation(click("a", 0, 5));
        check(quick.exchange(sent_click("a", 20, 202)), Inconclusive);
    }

    #[test]
    fn without_clicks_nothing_is_known() {
        check(History::over(&[(Settle, 0, 60)]), Inconclusive);
    }
}
