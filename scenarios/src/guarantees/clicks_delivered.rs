//! Every click that was acknowledged reaches Linktree, also in an outage; none is invented or altered.
//!
//! Blind to: what Linktree does with a click. Broken by: `ack-before-write`,
//! `click-dropped-after-attempts`, `click-dropped-on-429`, `click-dropped-on-401`,
//! `click-given-up-after-a-while`, `batch-beyond-the-limit`, `failed-items-dropped`, `no-click-queue`.

use super::click_lag;
use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::guarantees::evidence::backlog::{Backlog, Place, WAITED};
use crate::guarantees::evidence::deliveries::{Deliveries, Delivery};
use crate::guarantees::evidence::refusals::Refusals;
use crate::history::Operation;
use crate::measure::{Gauge, humane, so_many};
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::history::exchange::CLICK_PARTS;
use std::time::Duration;

const PROMISE: Promise = Promise {
    id: "clicks-delivered",
    statement: "Every click acknowledged at the front door reaches Linktree; none is invented or \
                altered.",
    priority: Priority::High,
    source: "checklist; none is lost, altered or invented; queued locally during outages, so a \
             front door that refuses more than half of an outage's clicks breaks it too",
    why: "Permanent gaps in analytics: a creator is paid by clicks that nobody counted.",
    usual_fix: "Write a click to durable storage before answering 202, and take it out only after a \
                definite 2xx or a refusal for good: its own status in a batch, or 404, 409, 410, 422 of \
                a single click. Bound retries per call, never per click.",
    blind_to: "Single clicks that the front door refused or never answered, and what Linktree does with \
               a click that it accepted. While clicks still arrive as the recording ends, what \
               has not come yet is late (click-lag), and not lost.",
    bounds: &[],
    minimums: &[WAITED],
    // A mock that refuses hinders deliveries, and the plan does not say when.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[FrontRoute::Clicks],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

/// What those are called that no visitor made.
pub const INVENTED: &str = "invented clicks";

/// Attempts shown in a witness.
const SHOWN: usize = 5;

/// See the module.
pub struct ClicksDelivered;

struct Delivering<'c> {
    case: &'c Case,
    deliveries: Deliveries<'c>,
    submitted: Vec<bool>,
    backlog: Backlog<'c>,
    refusals: Refusals<'c>,
    /// Clicks still arrived when the recording ended: what had not come yet is late, and not lost.
    draining: bool,
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
        let last = case.harness.closed.minus(case.time(&click_lag::WITHIN) / 2);
        let arrives = |click: Delivery<'_>| click.arrived().is_some_and(|at| at >= last);
        Box::new(Delivering {
            case,
            draining: deliveries.all().any(arrives),
            submitted: vec![false; deliveries.count()],
            deliveries,
            backlog: Backlog::of(case),
            refusals: Refusals::of(case),
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
        self.refusals.note(operation);
        if !operation.is_ok() {
            return;
        }
        self.acked += 1;
        let delivery = place.map(|place| self.deliveries.at(place));
        let settled = delivery.as_ref().and_then(Delivery::settled);
        let waits = self.backlog.acknowledged(operation.last, settled);
        if settled.is_some() {
            self.settled += 1;
            return;
        }
        let due = waits.since.plus(self.case.time(&click_lag::WITHIN) + self.case.harness.delta);
        let is_over = self.case.harness.completed() && due <= self.case.harness.closed;
        if is_over && !self.draining {
            let case = self.case;
            let waited = case.harness.closed.since(waits.since);
            self.backlog.offend(waits, (operation.last, waited), |hindered| {
                lost(case, operation, delivery.as_ref(), (waits, hindered))
            });
        } else {
            self.undecided += 1;
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let invented = self.invented();
        let compared = self.submitted.iter().filter(|submitted| **submitted).count();
        let Self {
            case,
            backlog,
            refusals,
            draining,
            altered,
            acked,
            settled,
            undecided,
            submitted,
            ..
        } = *self;
        let strength = backlog.strength();
        let (mut offences, infeasible) = backlog.close();
        let (refused, refusals) = refusals.close();
        // Of clicks that could not have arrived in time nobody knows whether they were lost.
        let decided = if infeasible.is_some() { 0 } else { settled };
        let gauges = [
            Gauge::none_of("lost clicks").counted(offences.count(), decided),
            Gauge::none_of("altered clicks").counted(altered.count(), compared),
            Gauge::none_of(INVENTED).counted(invented.count(), submitted.len()),
            refusals,
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
            "the recording ended {} {undecided} acknowledged clicks had arrived or were due",
            if draining { "while clicks still arrived, before" } else { "before" },
        );
        offences.join(altered);
        offences.join(invented);
        offences.join(refused);
        offences
            .verdict(settled, "acknowledged clicks that reached Linktree")
            .only_if(undecided == 0, too_short)
            .only_if(infeasible.is_none(), infeasible.clone().unwrap_or_default())
            .at_least([strength])
            .measured(gauges, observed, rule)
    }
}

impl Delivering<'_> {
    fn compare(&mut self, operation: &Operation<'_>, payload: &str, place: usize) {
        let (case, delivery) = (self.case, self.deliveries.at(place));
        if let Some(altered) =
            delivery.attempts.iter().find(|sent| sent.receipt.payload != *payload)
        {
            self.altered.add(altered.exchange.t_req, || {
                let differs = differences(payload, &altered.receipt.payload.to_string());
                let what = format!("click {} was altered on its way: {differs}", delivery.event_id);
                Witness::new(altered.exchange.t_req, what)
                    .line(case.tell_operation(operation))
                    .line(altered.tell(case))
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
        for (delivery, submitted) in self.deliveries.all().zip(&self.submitted) {
            let first = delivery.attempts[0].exchange;
            let in_flight = !whole && first.t_req.plus(awaited) >= self.case.harness.closed;
            if !submitted && !in_flight && delivery.arrived().is_some() {
                // Shown before what was lost: whoever changes ids loses the first of them for that.
                invented.add_weighing(first.t_req, u64::MAX, || {
                    let what = format!(
                        "click {} reached Linktree and no visitor made it: does the id change between \
                         attempts?",
                        delivery.event_id
                    );
                    Witness::new(first.t_req, what).line(self.case.tell(first))
                });
            }
        }
        invented
    }
}

/// What a visitor sent and Linktree got otherwise.
fn differences(sent: &str, got: &str) -> String {
    let parts = CLICK_PARTS.into_iter().zip(sent.split('-').zip(got.split('-')));
    let names: Vec<&str> =
        parts.filter(|(_, (sent, got))| sent != got).map(|(name, _)| name).collect();
    format!("another {} than the visitor sent", names.join(" and "))
}

fn lost(
    case: &Case,
    operation: &Operation<'_>,
    delivery: Option<&Delivery<'_>>,
    (waits, hindered): (Place, String),
) -> Witness {
    let event_id = operation.event_id().unwrap_or_default();
    let what = format!(
        "click {event_id} was acknowledged and had not reached Linktree {} after it could be \
         delivered, when the recording ended",
        humane(case.harness.closed.since(waits.since)),
    );
    let witness = Witness::new(operation.last, what).line(case.tell_operation(operation));
    let attempts = delivery.map(|delivery| delivery.attempts.as_slice()).unwrap_or_default();
    let earlier = attempts.len().saturating_sub(SHOWN);
    let more =
        (earlier > 0).then(|| so_many(earlier, "attempt before these", "attempts before these"));
    let shown = attempts[earlier..].iter().map(|attempt| attempt.tell(case));
    let none = attempts.is_empty().then(|| "no upstream call ever carried it".to_owned());
    more.into_iter().chain(shown).chain(none).fold(witness, Witness::line).line(hindered)
}

#[cfg(test)]
mod tests;
