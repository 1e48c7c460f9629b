//! How long the oldest click has been waiting at a moment: at the least, and at the most.
//!
//! A click waits from its acknowledgement until the integration hears that Linktree has it, or will never
//! take it. Only a click that was heard of in the end waited for certain: one that was lost is somebody
//! else's business. Whoever gave no answer may have taken the click all the same, and whoever takes what
//! is no proper click may count it among those that wait, or leave it out.

use super::alerts::{Sample, moments};
use super::deliveries::{Attempt, Deliveries, Delivery};
use crate::case::Case;
use crate::history::{Did, Operation};
use mock_server::clock::Moment;
use std::time::Duration;

/// Of several instances each may tell of its own clicks alone. Chance spares one of them so many clicks in
/// a row, for each instance, once in twenty thousand times.
const SURELY_EVERYWHERE: usize = 10;

/// One click.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// When it was sent: it may count from here.
    pub sent: Moment,
    /// When it was acknowledged: it counts from here.
    pub acked: Moment,
    /// When the integration may first have heard what became of it; for ever, where it never did.
    pub heard: Moment,
    /// From here on it must know.
    pub known: Moment,
    /// Whether it may not count among clicks at all.
    pub is_odd: bool,
    /// Whether it waited for certain.
    is_certain: bool,
    /// Its place among the deliveries.
    place: Option<usize>,
}

/// The clicks of a case that may have waited.
#[derive(Debug)]
pub struct Waiting<'c> {
    /// The case.
    pub case: &'c Case,
    deliveries: Deliveries<'c>,
    /// By the time at which they were sent.
    all: Vec<Wait>,
    /// The places of those that waited for certain, by their acknowledgement.
    certain: Vec<u32>,
}

/// Asks how old clicks are, at later and later times.
#[derive(Debug)]
pub struct Ages<'w> {
    waiting: &'w Waiting<'w>,
    oldest: usize,
    oldest_certain: usize,
}

impl<'c> Waiting<'c> {
    /// Nobody has clicked yet.
    #[must_use]
    pub fn of(case: &'c Case) -> Self {
        Self { case, deliveries: Deliveries::of(case), all: Vec::new(), certain: Vec::new() }
    }

    /// A visitor did something, of which clicks count, and what may have been taken for one.
    pub fn clicked(&mut self, operation: &Operation<'_>) {
        let odd_id = operation.did.odd_event_id();
        let place = operation.event_id().or(odd_id).and_then(|id| self.deliveries.place(id));
        let is_odd = odd_id.is_some() || matches!(operation.did, Did::GarbledClick(_));
        let refused = operation.status.is_some_and(|status| (400..500).contains(&status));
        let is_click = operation.event_id().is_some() || is_odd;
        if !is_click || !operation.is_ok() && (refused || place.is_none()) {
            return;
        }
        let delivery = place.map(|place| self.deliveries.at(place));
        let (heard, known) = delivery.as_ref().map_or((Moment(u64::MAX), Moment(u64::MAX)), told);
        let (sent, acked) = (operation.sent, operation.last);
        let is_certain = operation.is_ok() && !is_odd && heard != Moment(u64::MAX);
        self.all.push(Wait { sent, acked, heard, known, is_odd, is_certain, place });
    }

    /// Everybody has clicked.
    pub fn ready(&mut self) {
        self.all.sort_by_key(|one| one.sent);
        let places = (0..).zip(&self.all).filter(|(_, one)| one.is_certain);
        self.certain = places.map(|(place, _)| place).collect();
        self.certain.sort_by_key(|place| self.all[*place as usize].acked);
    }

    /// Everybody of a history has clicked.
    #[cfg(test)]
    pub fn after(history: &'c mut crate::testing::History) -> Self {
        history.case.ready();
        let mut waiting = Self::of(&history.case);
        history.operations.iter().for_each(|operation| waiting.clicked(operation));
        waiting.ready();
        waiting
    }

    /// All that may have waited.
    #[must_use]
    pub fn all(&self) -> &[Wait] {
        &self.all
    }

    /// Those that waited for certain.
    pub fn certain(&self) -> impl Iterator<Item = &Wait> {
        self.certain_from(0)
    }

    fn certain_from(&self, nth: usize) -> impl Iterator<Item = &Wait> {
        self.certain[nth..].iter().map(|place| &self.all[*place as usize])
    }

    /// Ages from the beginning on.
    #[must_use]
    pub fn ages(&self) -> Ages<'_> {
        Ages { waiting: self, oldest: 0, oldest_certain: 0 }
    }

    /// The age of the oldest click at every moment, in milliseconds.
    #[must_use]
    pub fn signal(&self) -> Vec<Sample> {
        let mut ages = self.ages();
        let ms = |age: Duration| u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let sample = |at| {
            let (lo, hi) = (ages.at_least((at, at), |_| false), ages.at_most((at, at)));
            Sample { at, lo: ms(lo), hi: ms(hi) }
        };
        moments(self.case).map(sample).collect()
    }

    /// Whether a click was on its way at some moment of a span: some queues do not count those.
    #[must_use]
    pub fn was_under_way(&self, wait: &Wait, (from, until): (Moment, Moment)) -> bool {
        let attempts = wait.place.map(|place| self.deliveries.at(place).attempts);
        let delta = self.case.harness.delta;
        let beside = |one: &Attempt<'_>| {
            let (sent, ended) = (one.exchange.t_req, one.exchange.t_known());
            sent.minus(delta) <= until && from <= ended.plus(delta)
        };
        attempts.is_some_and(|attempts| attempts.iter().any(beside))
    }
}

impl Ages<'_> {
    /// At some moment of this span the oldest click was no older.
    pub fn at_most(&mut self, (from, until): (Moment, Moment)) -> Duration {
        let Waiting { case, all, .. } = self.waiting;
        let (from, until) = (from.minus(case.harness.delta), until.plus(case.harness.delta));
        while all.get(self.oldest).is_some_and(|one| one.known < from) {
            self.oldest += 1;
        }
        let oldest = all.get(self.oldest).filter(|one| one.sent <= until);
        oldest.map_or(Duration::ZERO, |one| until.since(one.sent))
    }

    /// At every moment of this span the oldest click was as old at least, those left out that may not
    /// count.
    pub fn at_least(
        &mut self,
        (from, until): (Moment, Moment),
        is_left_out: impl Fn(&Wait) -> bool,
    ) -> Duration {
        let (waiting, case) = (self.waiting, self.waiting.case);
        let (from, until) = (from.minus(case.harness.delta), until.plus(case.harness.delta));
        let over = waiting.certain_from(self.oldest_certain).take_while(|one| one.heard <= until);
        self.oldest_certain += over.count();
        let waits = waiting.certain_from(self.oldest_certain).take_while(|one| one.acked <= from);
        let mut waits = waits.filter(|one| one.heard > until && !is_left_out(one));
        let instances = case.declared.instances as usize;
        let spared = if instances > 1 { SURELY_EVERYWHERE * instances } else { 0 };
        waits.nth(spared).map_or(Duration::ZERO, |one| from.since(one.acked))
    }
}

/// When the integration may first have heard what became of a click, and when it must know: after a
/// restart it may send again what it had heard of.
fn told(delivery: &Delivery<'_>) -> (Moment, Moment) {
    let may_be_heard = |one: &&Attempt<'_>| {
        let is_2xx = one.exchange.status.is_some_and(|status| (200..300).contains(&status));
        one.arrived() && is_2xx || one.was_refused_for_good()
    };
    let must_be_heard = |one: &&Attempt<'_>| one.was_confirmed() || one.was_refused_for_good();
    let heard = delivery.attempts.iter().filter(may_be_heard).map(|one| one.exchange.t_req);
    let known = delivery.attempts.iter().filter(must_be_heard).map(|one| one.exchange.t_known());
    (heard.min().unwrap_or(Moment(u64::MAX)), known.max().unwrap_or(Moment(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Oddity, OpFailure};
    use crate::plan::PhaseKind::Control;
    use crate::testing::{History, click, sent_batch, sent_click};
    use mock_server::history::exchange::{End, Exchange};

    /// The least and the greatest age at each of these seconds, in milliseconds.
    #[track_caller]
    fn check(history: History, seconds: &[u64], expected: &[(u64, u64)]) {
        let mut history = history;
        let waiting = Waiting::after(&mut history);
        let mut ages = waiting.ages();
        let ms = |age: Duration| u64::try_from(age.as_millis()).unwrap();
        let mut at = |second: &u64| {
            let at = (Moment::from_ms(second * 1_000), Moment::from_ms(second * 1_000));
            (ms(ages.at_least(at, |_| false)), ms(ages.at_most(at)))
        };
        assert_eq!(seconds.iter().map(&mut at).collect::<Vec<_>>(), expected);
    }

    fn history() -> History {
        History::over(&[(Control, 0, 100)])
    }

    fn lost(exchange: Exchange) -> Exchange {
        Exchange { status: None, t_w: None, t_first: None, end: End::ServerReset, ..exchange }
    }

    #[test]
    fn the_oldest_click_is_as_old_as_it_waits_give_or_take_the_tolerance() {
        let one = || history().operation(click("a", 10_000, 10_005));
        let delivered = one().exchange(sent_click("a", 30_000, 202));
        let ages = [(0, 0), (9_895, 10_100), (0, 20_100), (0, 0)];
        check(delivered, &[9, 20, 30, 31], &ages);
        // Nobody knows what becomes of one that never comes.
        check(one(), &[20], &[(0, 10_100)]);
    }

    #[test]
    fn a_click_waits_until_its_receipt_is_read() {
        let both = history()
            .operation(click("a", 10_000, 10_005))
            .exchange(lost(sent_click("a", 20_000, 202)))
            .exchange(sent_click("a", 40_000, 202));
        check(both, &[30, 41], &[(19_895, 20_100), (0, 0)]);
    }

    #[test]
    fn a_younger_one_is_the_oldest_once_the_older_is_gone() {
        let two = history()
            .operations([click("a", 10_000, 10_005), click("b", 15_000, 15_005)])
            .exchange(sent_batch(&["a"], 20_000, 202))
            .exchange(sent_batch(&["b"], 40_000, 202));
        check(two, &[18, 30, 50], &[(7_895, 8_100), (14_895, 15_100), (0, 0)]);
    }

    #[test]
    fn what_was_refused_never_waits_and_what_had_no_answer_may() {
        let answered =
            |status, failure| Operation { status, failure, ..click("a", 10_000, 10_005) };
        let delivered =
            |operation| history().operation(operation).exchange(sent_click("a", 30_000, 202));
        check(delivered(answered(Some(422), None)), &[20], &[(0, 0)]);
        check(delivered(answered(None, Some(OpFailure::Timeout))), &[20], &[(0, 10_100)]);
        check(history().operation(answered(Some(503), None)), &[20], &[(0, 0)]);
    }

    #[test]
    fn what_is_no_proper_click_may_count_among_those_that_wait() {
        let oddity = |event_id| Oddity { kind: "odd".into(), event_id };
        let sent = |status, did| Operation { status, did, ..click("a", 10_000, 10_005) };
        let delivered =
            |operation| history().operation(operation).exchange(sent_click("a", 30_000, 404));
        let odd = |status| delivered(sent(Some(status), Did::OddClick(oddity(Some("a".into())))));
        check(odd(202), &[20, 31], &[(0, 10_100), (0, 0)]);
        check(odd(422), &[20], &[(0, 0)]);
        // Of one that bears no id nobody knows when it is gone.
        let unnamed = |status| delivered(sent(status, Did::GarbledClick(oddity(None))));
        check(unnamed(Some(202)), &[20, 31], &[(0, 10_100), (0, 21_100)]);
        check(unnamed(Some(400)), &[20], &[(0, 0)]);
        check(unnamed(None), &[20], &[(0, 0)]);
    }

    #[test]
    fn of_several_instances_each_may_know_of_its_own_alone() {
        let mut clicks = history().declaring(|one| one.instances = 2);
        let ids: Vec<&'static str> =
            (0..40).map(|n| &*Box::leak(format!("c{n}").into_boxed_str())).collect();
        for (n, id) in (0..).zip(&ids) {
            clicks = clicks.operation(click(id, n * 100, n * 100));
        }
        check(clicks.exchange(sent_batch(&ids, 30_000, 202)), &[20], &[(17_900, 20_100)]);
    }

    #[test]
    fn a_click_may_not_count_while_it_is_under_way() {
        let mut tried = history()
            .operation(click("a", 10_000, 10_005))
            .exchange(sent_click("a", 20_000, 503))
            .exchange(sent_click("a", 40_000, 202));
        let waiting = Waiting::after(&mut tried);
        let under_way = |from: u64, until: u64| {
            let span = (Moment::from_ms(from), Moment::from_ms(until));
            waiting.was_under_way(&waiting.all[0], span)
        };
        assert_eq!(
            [under_way(19_000, 19_899), under_way(19_000, 19_950), under_way(20_106, 20_200)],
            [false, true, false]
        );
    }

    #[test]
    fn clicks_are_in_order_whoever_was_answered_first() {
        let two = history()
            .operations([click("b", 15_000, 15_005), click("a", 10_000, 20_000)])
            .exchange(sent_batch(&["a", "b"], 40_000, 202));
        check(two, &[30], &[(14_895, 20_100)]);
    }

    #[test]
    fn a_click_counts_for_as_long_as_it_may_not_be_known() {
        let one = |sent_ms| {
            let one = history().operation(click("a", 10_000, 10_005));
            one.exchange(sent_click("a", sent_ms, 202))
        };
        // It is known 5 ms later, and δ more.
        check(one(29_895), &[30], &[(0, 20_100)]);
        check(one(29_894), &[30], &[(0, 0)]);
    }

    #[test]
    fn one_that_is_left_out_leaves_the_next_that_still_waits() {
        let oldest = |arrived_ms| {
            let mut two = history()
                .operations([click("a", 10_000, 10_005), click("b", 12_000, 12_005)])
                .exchange(sent_click("a", 40_000, 202))
                .exchange(sent_click("b", arrived_ms, 202));
            let waiting = Waiting::after(&mut two);
            let at = (Moment::from_ms(30_000), Moment::from_ms(30_000));
            let is_first = |one: &Wait| one.sent == Moment::from_ms(10_000);
            waiting.ages().at_least(at, is_first).as_millis()
        };
        assert_eq!([20_000, 30_100, 30_101].map(oldest), [0, 0, 17_895]);
    }
}
