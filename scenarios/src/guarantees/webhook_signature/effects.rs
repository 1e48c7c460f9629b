//! Whether a delivery had an effect, as far as that can be seen: a call for the page that it is about, which
//! nothing else explains.
//!
//! A page that was vouched for a moment ago is asked for neither because it has expired nor because it
//! soon will. Where nearly every genuine delivery is followed by such a call, and nearly no other moment
//! is, effects are observable: then those that must have none are looked at. Chance calls are told from
//! effects by their share, so that a service which now and then asks for a page of its own accord is not
//! blamed: with one such call in ten moments, five of six are chance once in twenty thousand histories.

use super::super::evidence::webhooks::{
    Nature, is_accepted, is_unbelievable, is_undisturbed, messages, tell,
};
use crate::case::{Case, JudgedExchange};
use crate::history::Operation;
use crate::measure::Gauge;
use crate::strength::{Minimum, Strength};
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::history::record::Delivery;
use mock_server::webhooks::WebhookEvent;
use std::collections::HashMap;
use std::time::Duration;

/// How long after a delivery its effect shows.
const SHOWS_WITHIN: Duration = Duration::from_millis(1_500);
/// How long before it nothing else may have come about the same page.
const ALONE_FOR: Duration = Duration::from_millis(3_000);
/// The copy of what has had its effect comes this long after it.
const COPY_AFTER: Duration = Duration::from_millis(500);
/// Visits in that time without which nobody would have made the service ask.
const VISITS: usize = 3;

/// Genuine deliveries, and moments without any, that show whether effects can be seen.
pub const CALIBRATING: Minimum =
    Minimum { name: "genuine deliveries that show whether effects can be seen", least: 8 };
pub const CONTROLS: Minimum =
    Minimum { name: "moments at which none came, for comparison", least: 20 };
/// Of the controls so many may be followed by a call.
const CHANCES: usize = 1;
/// What must have no effect has to have come so often.
pub const UNBELIEVABLE: Minimum =
    Minimum { name: "deliveries that nobody may believe and whose effect would show", least: 6 };
pub const COPIES: Minimum = Minimum { name: "copies whose effect would show", least: 6 };
/// Four of five have an effect: observable there, violated here.
const fn is_regular(hits: usize, of: usize) -> bool {
    hits * 5 >= of * 4
}

/// Page views and calls, by the page.
pub struct Effects<'c> {
    case: &'c Case,
    /// When pages of those who were visited were opened, ascending once judged.
    visits: HashMap<String, Vec<Moment>>,
}

/// What followed a delivery.
struct Seen {
    /// From the page's fill to the end of what is taken for an effect.
    after_fill: Duration,
    hit: bool,
}

/// What came of it.
pub struct Judged {
    genuine: Tally,
    controls: Tally,
    unbelievable: Tally,
    copies: Tally,
    observable: bool,
    violated: u64,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    of: usize,
    hits: usize,
}

impl Tally {
    fn note(&mut self, hit: bool) {
        self.of += 1;
        self.hits += usize::from(hit);
    }

    const fn is_enough(self, minimum: Minimum) -> bool {
        self.of as u64 >= minimum.least
    }

    const fn is_regular(self, minimum: Minimum) -> bool {
        self.is_enough(minimum) && is_regular(self.hits, self.of)
    }
}

impl<'c> Effects<'c> {
    pub fn of(case: &'c Case) -> Self {
        Self { case, visits: HashMap::new() }
    }

    pub fn visited(&mut self, operation: &Operation<'_>) {
        if operation.page().is_some() {
            let visits = self.visits.entry(operation.handle.clone().into_owned()).or_default();
            visits.push(operation.sent);
        }
    }

    /// Judges what must have no effect, where effects can be seen.
    pub fn judged(mut self, offences: &mut Offences) -> Judged {
        self.visits.values_mut().for_each(|visits| visits.sort_unstable());
        let mut about: HashMap<&str, Vec<&Delivery>> = HashMap::new();
        for delivery in &self.case.linktree.deliveries {
            about.entry(&delivery.handle).or_default().push(delivery);
        }
        let (mut genuine, mut longest) = (Tally::default(), Duration::ZERO);
        let (mut wrong, mut copies) = (Vec::new(), Vec::new());
        for message in messages(self.case) {
            let first = message.attempts[0];
            if first.webhook_event != WebhookEvent::ProfileUpdated {
                continue;
            }
            let others = about.get(first.handle.as_str()).map_or(&[][..], Vec::as_slice);
            if message.attempts.iter().all(|one| is_unbelievable(self.case, one)) {
                // The same again, and refused again, is no other reason.
                let alone = !near(others, first.t_sent, |one| one.authentic);
                if alone && let Some(seen) = self.effect(&first.handle, first.t_sent) {
                    longest = longest.max(seen.after_fill);
                    wrong.push((first, seen.hit));
                }
                continue;
            }
            if Nature::of(self.case, first) != Nature::Genuine || !is_accepted(first) {
                continue;
            }
            let alone = !near(others, first.t_sent, |one| one.t_sent != first.t_sent);
            if alone
                && is_undisturbed(self.case, first)
                && let Some(seen) = self.effect(&first.handle, first.t_sent)
            {
                longest = longest.max(seen.after_fill);
                genuine.note(seen.hit);
            }
            if let Some((copy, seen)) = self.copy(&message.attempts, others) {
                longest = longest.max(seen.after_fill);
                copies.push((copy, seen.hit));
            }
        }
        let mut controls = Tally::default();
        for handle in self.visits.keys() {
            let others = about.get(handle.as_str()).map_or(&[][..], Vec::as_slice);
            self.control(handle, others, longest).into_iter().for_each(|hit| controls.note(hit));
        }
        let observable = genuine.is_regular(CALIBRATING)
            && controls.is_enough(CONTROLS)
            && controls.hits <= CHANCES;
        let mut judged = Judged {
            genuine,
            controls,
            unbelievable: tally(&wrong),
            copies: tally(&copies),
            observable,
            violated: 0,
        };
        if !observable {
            return judged;
        }
        if judged.unbelievable.is_regular(UNBELIEVABLE) {
            judged.violated +=
                self.blame(&wrong, "was acted upon, though nobody may believe it", offences);
        }
        if judged.copies.is_regular(COPIES) {
            judged.violated +=
                self.blame(&copies, "was a copy, and was acted upon again", offences);
        }
        judged
    }

    fn blame(&self, of: &[(&Delivery, bool)], what: &str, offences: &mut Offences) -> u64 {
        let hits = of.iter().filter(|(_, hit)| *hit);
        for (delivery, _) in hits.clone() {
            let at = delivery.t_sent;
            offences.add(at, || {
                let what = format!("a delivery about {} {what}", delivery.handle);
                let call = self.calls(&delivery.handle).find(|call| call.t_req > at);
                let call = call.map(|call| self.case.tell(call));
                let witness = Witness::new(at, what).line(tell(self.case, delivery));
                call.into_iter().fold(witness, Witness::line)
            });
        }
        hits.count() as u64
    }

    /// Whether the second copy of what was accepted and has had its effect had one again; none where that
    /// cannot be told.
    fn copy<'d>(
        &self,
        attempts: &[&'d Delivery],
        others: &[&Delivery],
    ) -> Option<(&'d Delivery, Seen)> {
        let first = attempts[0];
        let copy = *attempts.get(1)?;
        let is_copy = copy.authentic && copy.t_sent >= first.t_end.plus(COPY_AFTER);
        let has_had_it = self.filled_before(&first.handle, copy.t_sent)? > first.t_sent;
        let alone = !near(others, copy.t_sent, |one| one.id != first.id);
        let third = attempts.get(2).is_some_and(|one| one.t_sent <= copy.t_sent.plus(SHOWS_WITHIN));
        if !is_copy || !has_had_it || !alone || third || !is_undisturbed(self.case, copy) {
            return None;
        }
        Some((copy, self.effect(&first.handle, copy.t_sent)?))
    }

    /// Whether a page was asked for in a time in which nothing came about it, which is as long as the
    /// longest from a page's fill to the end of what is taken for an effect: whatever asks for pages by their
    /// age shows here as well. None where that cannot be told. One moment a page: they are independent.
    fn control(&self, handle: &str, others: &[&Delivery], longest: Duration) -> Option<bool> {
        let fills = self.case.linktree.page_fills_of(handle);
        fills.iter().find_map(|fill| {
            let (from, until) = (fill.minus(ALONE_FOR), fill.plus(longest));
            let quiet = !others.iter().any(|one| from <= one.t_sent && one.t_sent <= until);
            let is_looked_at = self.is_visited(handle, until.minus(SHOWS_WITHIN), until);
            if quiet && is_looked_at { self.asked(handle, *fill, until) } else { None }
        })
    }

    /// Whether the page was asked for just after this moment; none where it may have been asked for
    /// anyway, or nobody would have made the service ask.
    fn effect(&self, handle: &str, at: Moment) -> Option<Seen> {
        let (filled, until) = (self.filled_before(handle, at)?, at.plus(SHOWS_WITHIN));
        let is_new = at < filled.plus(self.case.max_age() / 4);
        let told = !self.case.target.disturbed_within(filled, at);
        if !is_new || !told || !self.is_visited(handle, at, until) {
            return None;
        }
        Some(Seen { after_fill: until.since(filled), hit: self.asked(handle, at, until)? })
    }

    fn is_visited(&self, handle: &str, from: Moment, until: Moment) -> bool {
        let visits = self.visits.get(handle).map_or(&[][..], Vec::as_slice);
        let begin = visits.partition_point(|visit| *visit <= from);
        let inside = visits[begin..].iter().take_while(|visit| **visit < until);
        inside.take(VISITS).count() >= VISITS
    }

    /// Whether the page was asked for in this time; none where nobody can say why it was or was not.
    fn asked(&self, handle: &str, from: Moment, until: Moment) -> Option<bool> {
        let Case { target, harness, .. } = self.case;
        let told = until <= harness.closed && !target.disturbed_within(from, until);
        if !told || harness.too_slow_within(from, until) {
            return None;
        }
        Some(self.calls(handle).any(|call| from < call.t_req && call.t_req <= until))
    }

    /// Asked for as a whole: links alone may be the rest of an earlier fill.
    fn calls(&self, handle: &str) -> impl Iterator<Item = &JudgedExchange> {
        let reads = self.case.linktree.page_reads_of(handle);
        reads.filter(|call| call.route == Route::Profile && !call.is_head())
    }

    fn filled_before(&self, handle: &str, at: Moment) -> Option<Moment> {
        let fills = self.case.linktree.page_fills_of(handle);
        fills.iter().rev().find(|fill| **fill <= at).copied()
    }
}

/// Whether something else came about the same page that may explain what followed.
fn near(others: &[&Delivery], at: Moment, is_other: impl Fn(&Delivery) -> bool) -> bool {
    let (from, until) = (at.minus(ALONE_FOR), at.plus(SHOWS_WITHIN));
    others.iter().any(|one| is_other(one) && from <= one.t_sent && one.t_sent <= until)
}

fn tally(of: &[(&Delivery, bool)]) -> Tally {
    let mut tally = Tally::default();
    of.iter().for_each(|(_, hit)| tally.note(*hit));
    tally
}

impl Judged {
    pub fn gauge(&self) -> Gauge {
        let of = self.unbelievable.of + self.copies.of;
        let of = if self.observable { of } else { 0 };
        Gauge::none_of("effects of what must have none").counted(self.violated, of)
    }

    /// How much was seen of what must be seen. Of a service whose deliveries have no effect that can be seen
    /// nothing more is asked than what shows that.
    pub fn strength(&self) -> [Strength; 4] {
        let Self { genuine, controls, unbelievable, copies, observable, .. } = self;
        let asked = |minimum: Minimum, tally: &Tally, is_asked: bool| {
            minimum.of(tally.of, if is_asked { minimum.least } else { 0 })
        };
        [
            asked(CALIBRATING, genuine, true),
            asked(CONTROLS, controls, is_regular(genuine.hits, genuine.of)),
            asked(UNBELIEVABLE, unbelievable, *observable),
            asked(COPIES, copies, *observable),
        ]
    }

    pub fn words(&self) -> String {
        let Self { genuine, controls, unbelievable, copies, observable, .. } = self;
        let calibrated = format!(
            "{} of {} genuine deliveries and {} of {} other moments were followed by a call for the page",
            genuine.hits, genuine.of, controls.hits, controls.of
        );
        if !observable {
            return format!("{calibrated}: effects are not observable, statuses only");
        }
        format!(
            "{calibrated}, as were {} of {} that nobody may believe and {} of {} copies",
            unbelievable.hits, unbelievable.of, copies.hits, copies.of
        )
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub mod testing {
    use crate::testing::{History, page, read};

    /// A page that is filled at `at_ms`, asked for again at these milliseconds after it, and visited five
    /// times a second for three seconds.
    pub fn page_of(history: History, handle: &str, at_ms: u64, again: &[u64]) -> History {
        let calls = [0].iter().chain(again).map(|ms| read(handle, at_ms + ms));
        let history = history.exchanges(calls.collect::<Vec<_>>());
        let visits = (0..15).map(|n| {
            let visit = page("-", at_ms + 5 + n * 200, at_ms + 10 + n * 200, "v");
            crate::history::Operation { handle: handle.to_owned().into(), ..visit }
        });
        history.operations(visits.collect::<Vec<_>>())
    }
}
