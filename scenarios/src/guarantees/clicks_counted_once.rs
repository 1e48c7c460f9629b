//! Each click has its effect once, whatever the network did to its delivery.
//!
//! Blind to: other effects. Broken by: `fresh-key-per-attempt`, `click-resent-after-success`.

use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::guarantees::evidence::busy::{Busy, Hearing};
use crate::guarantees::evidence::deliveries::{Attempt, Deliveries, Delivery};
use crate::guarantees::evidence::heard;
use crate::history::Operation;
use crate::measure::{Gauge, humane, so_many};
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use std::collections::HashMap;

const PROMISE: Promise = Promise {
    id: "clicks-counted-once",
    statement: "Each click has its effect once: a constant idempotency key or event id over all \
                attempts; no needless second delivery.",
    priority: Priority::High,
    source: "checklist; a click keeps its key at every attempt, has its effect once, and is not \
             sent again after it was confirmed",
    why: "A click that counts twice is money that nobody owes, and needless deliveries eat the rate \
          cap when it is scarcest.",
    usual_fix: "Derive the idempotency key from the event id, once, and take a click out of the \
                queue as soon as a 2xx was read.",
    blind_to: "Effects outside Linktree, and repetitions that an answer excuses which was lost on its way, or \
               could not be read for want of a processor.",
    bounds: &[],
    minimums: &[RETRIED, LOST_RECEIPTS],
    // What had its effect twice had it; deliveries that the mock did not see may be missing.
    when_late: Stands::Always,
    when_overloaded: Stands::IfViolated,
    needs: &[FrontRoute::Clicks],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

/// Clicks that were sent more than once.
const RETRIED: Minimum = Minimum { name: "retried clicks", least: 10 };
/// Of these, clicks that Linktree had counted before the client could know.
const LOST_RECEIPTS: Minimum = Minimum { name: "retried clicks whose receipt was lost", least: 1 };

/// See the module.
pub struct ClicksCountedOnce;

struct Counting<'c> {
    case: &'c Case,
    offences: Offences,
    /// Of which so many are about keys, and so many about effects.
    wrong_keys: u64,
    wrong_effects: u64,
    clicks: usize,
    retried: usize,
    /// Of which so many were counted before the client could know.
    unheard: usize,
    /// Needless deliveries by click.
    needless: HashMap<&'c str, Needless<'c>>,
    busy: Busy<'c>,
}

/// What a click was sent again after, unless a visitor sent it twice.
struct Needless<'c> {
    /// A 2xx that nothing excuses who has not read.
    told: Option<Again<'c>>,
    /// One that came while the target had no processor.
    starved: Option<Again<'c>>,
    submitted: usize,
}

/// A definite 2xx, and the attempts after it.
struct Again<'c> {
    confirmed: Attempt<'c>,
    later: Vec<Attempt<'c>>,
}

impl<'c> Again<'c> {
    /// The 2xx, and the first attempt after it was heard.
    fn unless_unheard(self, case: &Case, hearing: &Hearing) -> Option<(Attempt<'c>, Attempt<'c>)> {
        let known = self.confirmed.exchange.t_known();
        let heard = hearing.heard_by(known, case.harness.delta);
        let again = self.later.into_iter().find(|again| again.exchange.t_head > heard)?;
        Some((self.confirmed, again))
    }
}

impl Guarantee for ClicksCountedOnce {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let deliveries = Deliveries::of(case);
        let reused = case.linktree.last_use_of_connections();
        let mut counting = Counting {
            case,
            offences: Offences::default(),
            wrong_keys: 0,
            wrong_effects: 0,
            clicks: deliveries.count(),
            retried: 0,
            unheard: 0,
            needless: HashMap::new(),
            busy: Busy::over(case),
        };
        let mut owners = HashMap::new();
        for delivery in deliveries.all() {
            counting.retried += usize::from(delivery.attempts.len() > 1);
            let earlier = delivery.attempts.split_last().map_or(&[][..], |(_, earlier)| earlier);
            counting.unheard += usize::from(earlier.iter().any(Attempt::lost_its_receipt));
            let before = counting.offences.count();
            counting.keys(&delivery, &mut owners);
            let between = counting.offences.count();
            counting.effects(&delivery);
            counting.wrong_keys += between - before;
            counting.wrong_effects += counting.offences.count() - between;
            if let Some(needless) = needless(case, &delivery, &reused) {
                counting.needless.insert(delivery.event_id, needless);
            }
        }
        Box::new(counting)
    }
}

impl Judge for Counting<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.busy.note(operation);
        if let Some(event_id) = operation.event_id()
            && let Some(needless) = self.needless.get_mut(event_id)
        {
            needless.submitted += 1;
        }
    }

    fn verdict(mut self: Box<Self>) -> Verdict {
        // Who answered nobody had not read the 2xx either.
        let (hearing, case) = (self.busy.spans(), self.case);
        let once = self.needless.drain().filter(|(_, needless)| needless.submitted < 2);
        let (mut repetitions, mut starved) = (Vec::new(), 0);
        for (event_id, needless) in once {
            let certain = |again| Again::unless_unheard(again, case, &hearing);
            if let Some((confirmed, again)) = needless.told.and_then(certain) {
                repetitions.push((event_id, confirmed, again));
            } else if needless.starved.and_then(certain).is_some() {
                starved += 1;
            }
        }
        repetitions.sort_unstable_by_key(|(_, _, again)| again.exchange.id);
        let repeated = repetitions.len() as u64;
        for (event_id, confirmed, again) in repetitions {
            let what = format!("click {event_id} was sent again after a definite 2xx");
            self.offend(what, &[confirmed, again]);
        }
        let Self { offences, wrong_keys, wrong_effects, clicks, retried, unheard, .. } = *self;
        let gauges = [
            Gauge::none_of("keys changed, shared or left out").counted(wrong_keys, clicks),
            Gauge::none_of("effects missed or repeated").counted(wrong_effects, clicks),
            Gauge::none_of("needless deliveries").counted(repeated, clicks),
        ];
        let sent = so_many(clicks, "click was", "clicks were");
        let observed = format!("{sent} sent, {retried} of them more than once");
        let rule = format!(
            "one key and one effect for each click, and no attempt later than {} (δ) after its 2xx",
            humane(case.harness.delta)
        );
        offences
            .verdict(retried, "retried clicks")
            .at_least([RETRIED.seen(retried), LOST_RECEIPTS.seen(unheard)])
            .undecided((starved > 0).then(|| unread(starved)))
            .measured(gauges, observed, rule)
    }
}

/// Why it is not said that nothing was sent again without need.
fn unread(clicks: u64) -> String {
    format!(
        "{} sent again after a definite 2xx that came while the target had no processor: it may have given up \
         before it could read that",
        so_many(clicks, "click was", "clicks were")
    )
}

impl<'c> Counting<'c> {
    fn offend(&mut self, what: String, attempts: &[Attempt<'_>]) {
        let case = self.case;
        let at = attempts.last().map_or(Moment::ZERO, |attempt| attempt.exchange.t_req);
        self.offences.add(at, || {
            let tell = |(n, attempt): (usize, &Attempt<'_>)| {
                let key = attempt.exchange.idempotency_key.as_deref().unwrap_or("none");
                let which = if n == 0 { "first" } else { "again" };
                format!("{}, key {key} ({which})", attempt.tell(case))
            };
            attempts.iter().enumerate().map(tell).fold(Witness::new(at, what), Witness::line)
        });
    }

    /// One key for a click, and another for every other click; batches go by event id.
    fn keys(&mut self, delivery: &Delivery<'c>, owners: &mut HashMap<&'c str, &'c str>) {
        let id = delivery.event_id;
        let singly = |attempt: &&Attempt<'c>| attempt.exchange.route == Route::Clicks;
        let mut single = delivery.attempts.iter().filter(singly);
        let Some(first) = single.next() else { return };
        let key = first.exchange.idempotency_key.as_deref();
        if let Some(other) = single.find(|other| other.exchange.idempotency_key.as_deref() != key) {
            self.offend(
                format!("the key of click {id} changed between attempts"),
                &[*first, *other],
            );
        }
        match key {
            None => self.offend(format!("click {id} was sent without a key"), &[*first]),
            Some(key) => {
                let owner = *owners.entry(key).or_insert(id);
                if owner != id {
                    self.offend(format!("click {id} bore the key of click {owner}"), &[*first]);
                }
            }
        }
    }

    fn effects(&mut self, delivery: &Delivery<'c>) {
        let effects = delivery.attempts.iter().filter(|attempt| attempt.receipt.effect).count();
        let swallowed =
            effects == 0 && self.case.harness.completed() && delivery.arrived().is_some();
        if effects > 1 {
            let what = format!("click {} had its effect {effects} times", delivery.event_id);
            self.offend(what, &delivery.attempts);
        } else if swallowed {
            let what = format!("click {} passed for another one's repetition", delivery.event_id);
            self.offend(what, &delivery.attempts);
        }
    }
}

/// The first definite 2xx after which there are attempts that nothing excuses, and the first whose reader had
/// no processor.
fn needless<'c>(
    case: &Case,
    delivery: &Delivery<'c>,
    reused: &HashMap<u64, u32>,
) -> Option<Needless<'c>> {
    let attempts = &delivery.attempts;
    let first = |is_starved: bool| {
        let told = |first: &&Attempt<'c>| {
            first.was_confirmed()
                && !heard::may_have_been_given_up(case, first.exchange, reused)
                && heard::may_have_been_starved(case, first.exchange, reused) == is_starved
        };
        attempts.iter().filter(told).find_map(|first| again(case, first, attempts))
    };
    let (told, starved) = (first(false), first(true));
    (told.is_some() || starved.is_some()).then_some(Needless { told, starved, submitted: 0 })
}

/// The attempts after this one whose client must have read its answer.
fn again<'c>(case: &Case, confirmed: &Attempt<'c>, attempts: &[Attempt<'c>]) -> Option<Again<'c>> {
    let first = confirmed.exchange;
    let settled = heard::settled(case, first.t_known());
    let after = |second: &&Attempt<'c>| {
        let sent = second.exchange;
        sent.t_head > settled && !heard::asker_died(case, first, sent.t_req)
    };
    let later: Vec<Attempt<'c>> = attempts.iter().filter(after).copied().collect();
    (!later.is_empty()).then_some(Again { confirmed: *confirmed, later })
}

#[cfg(test)]
mod tests;
