//! Each click has its effect once, whatever the network did to its delivery.
//!
//! Blind to: other effects. Broken by: `fresh-key-per-attempt`, `click-resent-after-success`.

use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::guarantees::evidence::busy::Busy;
use crate::guarantees::evidence::deliveries::{Attempt, Deliveries, Delivery};
use crate::history::Operation;
use crate::measure::{Gauge, humane};
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
    source: "checklist; predicates B5: KEY, EFFECT and NEEDLESS",
    why: "A click that counts twice is money that nobody owes, and needless deliveries eat the rate \
          cap when it is scarcest.",
    usual_fix: "Derive the idempotency key from the event id, once, and take a click out of the \
                queue as soon as a 2xx was read.",
    blind_to: "Effects outside Linktree, and repetitions that an answer lost on its way excuses.",
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
    /// Needless second deliveries, unless a visitor sent the click twice.
    needless: HashMap<&'c str, (Attempt<'c>, Attempt<'c>, usize)>,
    busy: Busy<'c>,
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
            clicks: deliveries.all().len(),
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
            counting.keys(delivery, &mut owners);
            let between = counting.offences.count();
            counting.effects(delivery);
            counting.wrong_keys += between - before;
            counting.wrong_effects += counting.offences.count() - between;
            if let Some((first, second)) = needless(case, delivery, &reused) {
                counting.needless.insert(delivery.event_id, (first, second, 0));
            }
        }
        Box::new(counting)
    }
}

impl Judge for Counting<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.busy.note(operation);
        if let Some(event_id) = operation.event_id()
            && let Some((_, _, submitted)) = self.needless.get_mut(event_id)
        {
            *submitted += 1;
        }
    }

    fn verdict(mut self: Box<Self>) -> Verdict {
        let mut needless: Vec<_> = self.needless.drain().collect();
        // Who answered nobody had not read the 2xx either.
        let (hearing, delta) = (self.busy.spans(), self.case.harness.delta);
        let unread = |first: &Attempt<'_>, second: &Attempt<'_>| {
            second.exchange.t_head <= hearing.heard_by(first.exchange.t_known(), delta)
        };
        needless.retain(|(_, (first, second, submitted))| *submitted < 2 && !unread(first, second));
        needless.sort_unstable_by_key(|(_, (_, second, _))| second.exchange.id);
        let repeated = needless.len() as u64;
        for (event_id, (first, second, _)) in needless {
            let what = format!("click {event_id} was sent again after a definite 2xx");
            self.offend(what, &[first, second]);
        }
        let Self { case, offences, wrong_keys, wrong_effects, clicks, retried, unheard, .. } =
            *self;
        let gauges = [
            Gauge::none_of("keys changed, shared or left out").counted(wrong_keys, clicks),
            Gauge::none_of("effects missed or repeated").counted(wrong_effects, clicks),
            Gauge::none_of("needless deliveries").counted(repeated, clicks),
        ];
        let observed = format!("{clicks} clicks were sent, {retried} of them more than once");
        let rule = format!(
            "one key and one effect for each click, and no attempt later than {} (δ) after its 2xx",
            humane(case.harness.delta)
        );
        offences
            .verdict(retried, "retried clicks")
            .at_least([RETRIED.seen(retried), LOST_RECEIPTS.seen(unheard)])
            .measured(gauges, observed, rule)
    }
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

/// The first attempt that nothing excuses after a definite 2xx, and the attempt that got the 2xx.
fn needless<'c>(
    case: &Case,
    delivery: &Delivery<'c>,
    reused: &HashMap<u64, u32>,
) -> Option<(Attempt<'c>, Attempt<'c>)> {
    let attempts = &delivery.attempts;
    let confirmed = attempts.iter().filter(|attempt| attempt.was_confirmed());
    confirmed.filter(|first| !may_have_been_given_up(case, first, reused)).find_map(|first| {
        let known = first.exchange.t_known();
        let settled = case.target.heard_by(known, case.harness.delta);
        let settled = settled.plus(case.harness.stalled_within(known, settled));
        let begun = first.exchange.t_head.minus(case.harness.delta);
        let after = |second: &&Attempt<'c>| {
            let sent = second.exchange;
            // An answer may be written for a process that has ended since it asked.
            let died = |at: Moment| at > begun && at < sent.t_req;
            sent.t_head > settled && !case.target.deaths().any(died)
        };
        attempts.iter().find(after).map(|second| (*first, *second))
    })
}

/// A client that gives up just as the answer is written never reads it, and the mock cannot tell.
/// It would close the connection; a quick answer leaves no time to give up, unless the client stood
/// still meanwhile.
fn may_have_been_given_up(case: &Case, first: &Attempt<'_>, reused: &HashMap<u64, u32>) -> bool {
    let exchange = first.exchange;
    let known = exchange.t_known();
    let slow = known.since(exchange.t_head) > case.harness.delta * 2
        || case.target.paused_within(
            exchange.t_head.minus(case.harness.delta),
            known.plus(case.harness.delta),
        );
    slow && reused.get(&exchange.conn).is_none_or(|last| *last <= exchange.conn_seq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, click, page, sent_batch, sent_click};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
    use mock_server::history::exchange::{End, Exchange};

    fn repeated(at_ms: u64) -> Exchange {
        let mut again = sent_click("a", at_ms, 202);
        again.clicks[0].effect = false;
        again
    }

    fn keyed(key: &str, exchange: Exchange) -> Exchange {
        Exchange { idempotency_key: Some(key.into()), ..exchange }
    }

    const MANY: [&str; 10] = ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"];

    /// Ten clicks in a batch whose receipt is lost, and then once more.
    fn retried() -> History {
        let lost = Exchange { end: End::ServerReset, status: None, ..sent_batch(&MANY, 0, 202) };
        let mut again = sent_batch(&MANY, 900, 202);
        again.clicks.iter_mut().for_each(|click| click.effect = false);
        History::over(&[]).exchanges([lost, again])
    }

    #[track_caller]
    fn check(exchanges: impl IntoIterator<Item = Exchange>, expected: VerdictKind) {
        let verdict = retried().exchanges(exchanges).judged_by(&ClicksCountedOnce);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }

    #[test]
    fn a_retry_under_the_same_key_holds_and_no_retry_is_inconclusive() {
        check([sent_click("a", 0, 503), sent_click("a", 900, 202)], Held);
        check([sent_batch(&["a", "b"], 0, 503), sent_batch(&["b", "a"], 900, 202)], Held);
        let few = |exchanges: Vec<Exchange>| {
            History::over(&[]).exchanges(exchanges).judged_by(&ClicksCountedOnce).kind
        };
        assert_eq!(few(vec![sent_click("a", 0, 202)]), Inconclusive);
        assert_eq!(few(vec![]), Inconclusive);
        assert_eq!(
            few(vec![sent_batch(&MANY[1..], 0, 503), sent_batch(&MANY[1..], 9, 202)]),
            Inconclusive
        );
        assert_eq!(
            few(vec![sent_batch(&MANY, 0, 503), sent_batch(&MANY, 900, 202)]),
            Inconclusive,
            "no receipt was lost"
        );
    }

    #[test]
    fn keys_that_change_are_shared_or_missing_are_violated() {
        let failed = || sent_click("a", 0, 503);
        check([failed(), keyed("k2", sent_click("a", 900, 202))], Violated);
        check([keyed("k", failed()), keyed("k", sent_click("b", 900, 202))], Violated);
        check([Exchange { idempotency_key: None, ..failed() }], Violated);
    }

    #[test]
    fn an_effect_twice_or_a_click_swallowed_as_a_repetition_is_violated() {
        let lost = Exchange { end: End::ServerReset, status: None, ..sent_click("a", 0, 202) };
        check([lost.clone(), repeated(900)], Held);
        check([lost, sent_click("a", 900, 202)], Violated);
        check([repeated(0)], Violated);
    }

    #[test]
    fn a_second_delivery_after_a_definite_2xx_is_needless() {
        let first = || sent_click("a", 0, 202); // known at 5 ms
        check([first(), repeated(900)], Violated);
        check([first(), repeated(105)], Held); // decided before the answer could be known
        let slow = Exchange { t_w: Some(Moment::from_ms(300)), ..first() };
        let next = |conn| Exchange { conn, conn_seq: 1, ..repeated(900) };
        check([slow.clone(), next(1)], Violated); // the connection lived on
        check([slow, next(2)], Held); // perhaps given up meanwhile
    }

    #[test]
    fn who_answers_nobody_has_not_read_the_2xx_either() {
        let history = || retried().exchanges([sent_click("a", 0, 202), repeated(300)]);
        let judged = |history: History| history.judged_by(&ClicksCountedOnce).kind;
        assert_eq!(judged(history()), Violated);
        assert_eq!(judged(history().operation(page("ann", 10, 250, "v0"))), Held);
        let others = (10..250).step_by(10).map(|at| page("bob", at, at + 1, "v0"));
        let answered = history().operation(page("ann", 10, 250, "v0")).operations(others);
        assert_eq!(judged(answered), Violated);
    }

    #[test]
    fn an_answer_that_was_written_after_the_crash_was_never_read() {
        let late = Exchange { t_w: Some(Moment::from_ms(800)), ..sent_click("a", 0, 202) };
        let history = || retried().exchanges([late.clone(), repeated(2_000)]);
        assert_eq!(history().killed(300).judged_by(&ClicksCountedOnce).kind, Held);
    }

    #[test]
    fn whoever_stood_still_may_take_an_answer_for_a_timeout_unless_the_connection_lives_on() {
        let next = |conn| Exchange { conn, conn_seq: 1, ..repeated(9_000) };
        let judged = |second| {
            let history = retried().exchanges([sent_click("a", 0, 202), second]);
            history.paused(2, 5_000).judged_by(&ClicksCountedOnce).kind
        };
        assert_eq!(judged(next(2)), Held);
        assert_eq!(judged(next(1)), Violated);
        assert_eq!(judged(Exchange { conn: 1, conn_seq: 1, ..repeated(5_090) }), Held); // not yet read
    }

    #[test]
    fn a_crash_or_a_visitor_who_repeats_excuses_a_second_delivery() {
        let history = || retried().exchanges([sent_click("a", 0, 202), repeated(900)]);
        assert_eq!(history().killed(50).judged_by(&ClicksCountedOnce).kind, Held);
        assert_eq!(history().terminated(40, 50, 60).judged_by(&ClicksCountedOnce).kind, Held);
        assert_eq!(history().killed(950).judged_by(&ClicksCountedOnce).kind, Violated);
        let twice = history().operations([click("a", 0, 5), click("a", 500, 505)]);
        assert_eq!(twice.judged_by(&ClicksCountedOnce).kind, Held);
        let once = history().operation(click("a", 0, 5));
        assert_eq!(once.judged_by(&ClicksCountedOnce).kind, Violated);
    }
}
