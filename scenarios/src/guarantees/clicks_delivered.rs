//! Every click that was acknowledged reaches Linktree; none is invented or altered.
//!
//! Blind to: what Linktree does with a click. Broken by: `ack-before-write`,
//! `click-dropped-after-attempts`, `click-dropped-on-429`.

use super::click_lag;
use super::{Guarantee, Judge, Priority, Promise, Sight};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::guarantees::evidence::backlog::Backlog;
use crate::guarantees::evidence::deliveries::{Deliveries, Delivery};
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::verdict::{Offences, Verdict, Witness};
use std::time::Duration;

const PROMISE: Promise = Promise {
    id: "clicks-delivered",
    statement: "Every click acknowledged at the front door reaches Linktree; none is invented or \
                altered.",
    priority: Priority::High,
    source: "checklist; predicates B5: LOST and UNEXPECTED",
    why: "Permanent gaps in analytics: a creator is paid by clicks that nobody counted.",
    usual_fix: "Write a click to durable storage before answering 202, and take it out only after a \
                definite 2xx or a refusal for good; bound retries per call, never per click.",
    blind_to: "Clicks that the front door refused or never answered, and what Linktree does with a \
               click that it accepted.",
    bounds: &[],
    minimums: &[],
    needs: &[FrontRoute::Clicks],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

/// Attempts shown in a witness.
const SHOWN: usize = 5;

/// See the module.
pub struct ClicksDelivered;

struct Delivering<'c> {
    case: &'c Case,
    deliveries: Deliveries<'c>,
    submitted: Vec<bool>,
    backlog: Backlog<'c>,
    altered: Offences,
    acked: usize,
    settled: usize,
    undecided: usize,
}

impl Guarantee for ClicksDelivered {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let deliveries = Deliveries::of(case);
        Box::new(Delivering {
            case,
            submitted: vec![false; deliveries.all().len()],
            deliveries,
            backlog: Backlog::of(case),
            altered: Offences::default(),
            acked: 0,
            settled: 0,
            undecided: 0,
        })
    }
}

impl Judge for Delivering<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        // Whoever passes on what is no proper click has not invented it.
        let odd = operation.did.odd_event_id().and_then(|id| self.deliveries.place(id));
        if let Some(place) = odd {
            self.submitted[place] = true;
        }
        let Some(click) = operation.click() else { return };
        let place = self.deliveries.place(&click.event_id);
        if let Some(place) = place {
            self.submitted[place] = true;
            self.compare(operation, &click.payload, place);
        }
        if !operation.is_ok() {
            return;
        }
        self.acked += 1;
        let waits = self.backlog.acknowledged(operation.last);
        let delivery = place.map(|place| &self.deliveries.all()[place]);
        if delivery.is_some_and(|delivery| delivery.settled().is_some()) {
            self.settled += 1;
            return;
        }
        let due = waits.since.plus(self.case.time(&click_lag::WITHIN) + self.case.harness.delta);
        if self.case.harness.completed() && due <= self.case.harness.closed {
            let case = self.case;
            self.backlog.offend(waits, || lost(case, operation, delivery));
        } else {
            self.undecided += 1;
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let invented = self.invented();
        let compared = self.submitted.iter().filter(|submitted| **submitted).count();
        let Self { case, backlog, altered, acked, settled, undecided, submitted, .. } = *self;
        let (mut offences, infeasible) = backlog.close();
        // Of clicks that could not have arrived in time nobody knows whether they were lost.
        let decided = if infeasible.is_some() { 0 } else { settled };
        let gauges = [
            Gauge::none_of("lost clicks").counted(offences.count(), decided),
            Gauge::none_of("altered clicks").counted(altered.count(), compared),
            Gauge::none_of("invented clicks").counted(invented.count(), submitted.len()),
        ];
        let observed = format!(
            "{settled} of {acked} acknowledged clicks reached Linktree, {undecided} are undecided"
        );
        let rule = format!(
            "a click is lost that has not arrived {} after it became deliverable, give or take {} (δ)",
            humane(case.time(&click_lag::WITHIN)),
            humane(case.harness.delta),
        );
        let too_short = format!(
            "the recording ended before {undecided} acknowledged clicks had arrived or were due"
        );
        offences.join(altered);
        offences.join(invented);
        offences
            .verdict(settled, "acknowledged clicks that reached Linktree")
            .only_if(undecided == 0, too_short)
            .only_if(infeasible.is_none(), infeasible.clone().unwrap_or_default())
            .measured(gauges, observed, rule)
    }
}

impl Delivering<'_> {
    fn compare(&mut self, operation: &Operation<'_>, payload: &str, place: usize) {
        let (case, delivery) = (self.case, &self.deliveries.all()[place]);
        if let Some(altered) = delivery.attempts.iter().find(|sent| sent.receipt.payload != payload)
        {
            self.altered.add(|| {
                let what = format!("click {} was altered on its way", delivery.event_id);
                Witness::new(altered.exchange.t_req, what)
                    .line(case.tell_operation(operation))
                    .line(case.tell(altered.exchange))
            });
        }
    }

    /// Clicks that Linktree has and no visitor made. A visitor whose answer was still awaited when
    /// the recording broke off is not in the history.
    fn invented(&self) -> Offences {
        let awaited =
            Duration::from_millis(self.case.plan.generator.timeout_ms) + self.case.harness.delta;
        let whole = self.case.harness.completed();
        let mut invented = Offences::default();
        for (delivery, submitted) in self.deliveries.all().iter().zip(&self.submitted) {
            let first = delivery.attempts[0].exchange;
            let in_flight = !whole && first.t_req.plus(awaited) >= self.case.harness.closed;
            if !submitted && !in_flight && delivery.arrived().is_some() {
                invented.add(|| {
                    let what = format!("no visitor made click {}", delivery.event_id);
                    Witness::new(first.t_req, what).line(self.case.tell(first))
                });
            }
        }
        invented
    }
}

fn lost(case: &Case, operation: &Operation<'_>, delivery: Option<&Delivery<'_>>) -> Witness {
    let event_id = operation.event_id().unwrap_or_default();
    let what = format!("click {event_id} was acknowledged and never reached Linktree");
    let witness = Witness::new(operation.last, what).line(case.tell_operation(operation));
    let Some(delivery) = delivery else {
        return witness.line("no upstream call ever carried it");
    };
    let shown = delivery.attempts.iter().take(SHOWN).map(|attempt| case.tell(attempt.exchange));
    shown.fold(witness, Witness::line).line(format!("{} attempts in all", delivery.attempts.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
    use crate::history::{Click, Did, Oddity};
    use crate::plan::PhaseKind::{Control, Outage, Settle};
    use crate::testing::{History, click, sent_click};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};

    const PHASES: &[(crate::plan::PhaseKind, u64, u64)] = &[(Control, 0, 10), (Settle, 10, 100)];

    #[track_caller]
    fn check(history: History, expected: VerdictKind) -> Verdict {
        let verdict = history.judged_by(&ClicksDelivered);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
        verdict
    }

    #[test]
    fn delivered_and_finally_refused_clicks_hold() {
        let history = History::over(PHASES).operation(click("a", 0, 5));
        let history = history.operation(click("b", 0, 6)).exchange(sent_click("a", 20, 202));
        let verdict = check(history.exchange(sent_click("b", 30, 422)), Held);
        assert_eq!(verdict.seen, 2);
    }

    #[test]
    fn an_acknowledged_click_without_an_effect_is_lost() {
        check(History::over(PHASES).operation(click("a", 0, 5)), Violated);
        let failed = History::over(PHASES).operation(click("a", 0, 5));
        let verdict = check(failed.exchange(sent_click("a", 10, 503)), Violated);
        assert!(verdict.witnesses[0].story.iter().any(|line| line.contains("503")), "{verdict:?}");
    }

    #[test]
    fn an_odd_click_may_be_passed_on_or_refused_or_dropped() {
        let odd = |id: &'static str| Operation {
            did: Did::OddClick(Oddity { kind: "odd".into(), event_id: Some(id.into()) }),
            ..click(id, 0, 5)
        };
        let real = History::over(PHASES).operation(click("a", 0, 5));
        let real = real.exchange(sent_click("a", 20, 202)).operation(odd("o1"));
        check(real.operation(odd("o2")).exchange(sent_click("o2", 30, 202)), Held);
    }

    #[test]
    fn a_click_that_the_front_door_refused_may_be_dropped() {
        let refused = Operation { status: Some(503), ..click("a", 0, 5) };
        let history = History::over(PHASES).operation(refused).operation(click("b", 0, 6));
        check(history.exchange(sent_click("b", 20, 202)), Held);
    }

    #[test]
    fn invented_and_altered_clicks_are_violated() {
        check(History::over(PHASES).exchange(sent_click("ghost", 20, 202)), Violated);
        let did = Did::Click(Click { event_id: "a".into(), payload: "q".into() });
        let other = Operation { did, ..click("a", 0, 5) };
        check(History::over(PHASES).operation(other).exchange(sent_click("a", 9, 202)), Violated);
    }

    #[test]
    fn an_undelivered_click_is_undecided_until_it_was_due() {
        let phases = [(Outage, 0, 10), (Settle, 10, 99)]; // 10 s + 30 s open + 60 s lag > 99 s
        check(History::over(&phases).operation(click("a", 0, 5)), Inconclusive);
        check(
            History::over(&[(Outage, 0, 10), (Settle, 10, 101)]).operation(click("a", 0, 5)),
            Violated,
        );
    }

    #[test]
    fn a_broken_recording_loses_nothing_but_may_show_inventions() {
        let broken = |exchange_at| {
            let mut history = History::over(PHASES).operation(click("a", 0, 5));
            history.case.harness.outcome = Some(Outcome::Interrupted);
            history.exchange(sent_click("ghost", exchange_at, 202))
        };
        check(broken(90_000), Inconclusive); // its visitor may still have been waiting
        check(broken(20), Violated);
    }
}
