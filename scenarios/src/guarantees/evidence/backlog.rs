//! Acknowledged clicks that wait for the same hindrance to end, and whether they could be delivered
//! in time at all: an impossible promise is nobody's fault.

use crate::case::Case;
use crate::guarantees::click_lag;
use crate::guarantees::evidence::deliverable::Deliverable;
use crate::guarantees::evidence::outages::Outages;
use crate::guarantees::evidence::rate;
use crate::measure::{humane, so_many};
use crate::plan::PhaseKind;
use crate::spans::NEXT;
use crate::strength::{Minimum, Strength};
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;
use std::time::Duration;

/// Clicks that were acknowledged while they could not be delivered, and waited until that was over: who
/// has no queue has none of them.
pub const WAITED: Minimum =
    Minimum { name: "clicks acknowledged in a hindrance that waited for its end", least: 5 };

/// Steps in which acknowledgements are counted, for each click lag.
const STEPS: u32 = 4;

/// The clicks of a case, by what they waited for.
pub struct Backlog<'c> {
    case: &'c Case,
    deliverable: Deliverable,
    outages: Outages,
    /// One for each hindrance, and a last one for clicks that waited for nothing.
    queues: Vec<Queue>,
    /// Unhindered acknowledgements in steps of a part of the click lag.
    steps: Vec<u64>,
    /// As [`WAITED`] counts them.
    waited: usize,
}

#[derive(Default)]
struct Queue {
    waiting: u64,
    offences: Offences,
}

/// Where an acknowledged click waits.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// From when it could be delivered.
    pub since: Moment,
    queue: usize,
}

impl<'c> Backlog<'c> {
    /// An empty backlog.
    #[must_use]
    pub fn of(case: &'c Case) -> Self {
        let deliverable = Deliverable::of(case);
        let queues = deliverable.hindrances().len() + 1;
        let queues = std::iter::repeat_with(Queue::default).take(queues).collect();
        let outages = Outages::of(case, PhaseKind::is_total_outage);
        Self { case, deliverable, outages, queues, steps: Vec::new(), waited: 0 }
    }

    /// Takes in a click that was acknowledged at `at`, and settled when it was, if it ever was.
    pub fn acknowledged(&mut self, at: Moment, settled: Option<Moment>) -> Place {
        self.waited += usize::from(self.deliverable.waited(at, settled));
        let (since, hindrance) = self.deliverable.since(at);
        let queue = hindrance.unwrap_or(self.queues.len() - 1);
        self.queues[queue].waiting += 1;
        if hindrance.is_none() {
            let length = (self.case.time(&click_lag::WITHIN) / STEPS).as_millis().max(1);
            let step = usize::try_from(u128::from(self.case.plan_ms(at)) / length).unwrap_or(0);
            self.steps.resize(self.steps.len().max(step + 1), 0);
            self.steps[step] += 1;
        }
        Place { since, queue }
    }

    /// How many clicks had to wait, beside how many are needed.
    #[must_use]
    pub fn strength(&self) -> Strength {
        WAITED.seen(self.waited)
    }

    /// A click of this place was not treated as promised at this moment, but waited for so long. The
    /// witness is given what the click waited for, as a line of a story.
    pub fn offend(
        &mut self,
        place: Place,
        (at, waited): (Moment, Duration),
        witness: impl FnOnce(String) -> Witness,
    ) {
        let Self { case, deliverable, queues, .. } = self;
        let offences = &mut queues[place.queue].offences;
        offences.add_lasting(at, waited, || witness(tell(case, deliverable, place)));
    }

    /// The offences that count, and why others could not have been avoided, or why nothing is known
    /// of clicks that waited for the end of an outage that was none.
    #[must_use]
    pub fn close(mut self) -> (Offences, Option<String>) {
        let (mut offences, mut excuse) = (Offences::default(), None);
        let free = self.queues.pop().expect("there is always a last queue");
        let burst = self.steps.windows(STEPS as usize + 1).map(|window| window.iter().sum::<u64>());
        let burst = burst.max().unwrap_or_else(|| self.steps.iter().sum());
        let (lag, window) = (self.case.time(&click_lag::WITHIN), self.case.times.window);
        let slots = calls(self.case.declared.click_slots as usize, lag, window);
        let all = calls(rate::cap(self.case), lag, window);
        let kept = if slots == 0 { all } else { slots };
        weigh(self.case, free, burst, kept, &mut offences, &mut excuse);
        for (queue, span) in self.queues.into_iter().zip(self.deliverable.hindrances()) {
            let sent = self.case.linktree.arrived(span.1, span.1.plus(lag + NEXT));
            let other = sent.iter().filter(|exchange| !exchange.route.is_click()).count();
            let possible = all.saturating_sub(other).max(slots);
            let waiting = queue.waiting;
            if let Some(doubt) = self.outages.doubt_within(span.0, span.1).filter(|_| waiting > 0) {
                excuse.get_or_insert_with(|| {
                    format!("{} waited, but {doubt}", so_many(waiting, "click", "clicks"))
                });
            }
            weigh(self.case, queue, waiting, possible, &mut offences, &mut excuse);
        }
        (offences, excuse)
    }
}

/// What a click of this place waited for.
fn tell(case: &Case, deliverable: &Deliverable, place: Place) -> String {
    let since = case.at(place.since);
    match deliverable.hindrances().get(place.queue) {
        Some(span) => {
            let (from, causes) = (case.at(span.0), deliverable.causes(*span));
            format!("{since} deliverable: until then it was hindered, from {from} ({causes})")
        }
        None => format!("{since} deliverable: nothing hindered it"),
    }
}

/// Calls that a cap allows within `span`.
fn calls(cap: usize, span: Duration, window: Duration) -> usize {
    usize::try_from(cap as u128 * span.as_nanos() / window.as_nanos().max(1)).unwrap_or(usize::MAX)
}

fn weigh(
    case: &Case,
    queue: Queue,
    waiting: u64,
    possible: usize,
    offences: &mut Offences,
    excuse: &mut Option<String>,
) {
    let items = u64::from(case.contract.batch.max_items.max(1));
    let needed = waiting.div_ceil(items);
    if needed <= possible as u64 {
        offences.join(queue.offences);
    } else if queue.offences.count() > 0 {
        *excuse = Some(format!(
            "{waiting} clicks became deliverable together: {needed} batches of {items}, but the \
             rate cap leaves {possible} calls in {}",
            humane(case.time(&click_lag::WITHIN)),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::client_rate_cap;
    use crate::plan::PhaseKind::{Control, Outage};
    use crate::testing::{History, read, refused, sent_click};
    use mock_server::history::exchange::Exchange;

    fn judged(clicks: u64, click_slots: u32) -> (u64, Option<String>) {
        let phases = [(Control, 0, 100), (Outage, 100, 200)];
        let met = refused("ann", 150_000, 503);
        let mut history =
            History::over(&phases).promising(&client_rate_cap::REQUESTS, 2).exchange(met);
        history.case.declared.click_slots = click_slots;
        let mut backlog = Backlog::of(&history.case);
        for click in 0..clicks {
            let place = backlog.acknowledged(Moment::from_ms(150_000 + click), None);
            let since = place.since;
            backlog.offend(place, (since, Duration::ZERO), |_| Witness::new(since, "late"));
        }
        let (offences, excuse) = backlog.close();
        (offences.count(), excuse)
    }

    #[test]
    fn a_backlog_that_fits_the_cap_is_judged() {
        assert_eq!(judged(200, 1), (200, None));
        assert_eq!(judged(300, 3), (300, None), "slots that are kept for clicks");
    }

    #[test]
    fn a_backlog_beyond_the_cap_is_excused_with_the_arithmetic() {
        let (offences, excuse) = judged(201, 1);
        assert_eq!(offences, 0);
        assert!(
            excuse.unwrap().contains("201 clicks became deliverable together: 3 batches of 100")
        );
    }

    #[test]
    fn what_waited_for_an_outage_that_nobody_met_shows_nothing() {
        let history = History::over(&[(Control, 0, 100), (Outage, 100, 200)]);
        let closed = |waits_ms| {
            let mut backlog = Backlog::of(&history.case);
            backlog.acknowledged(Moment::from_ms(waits_ms), None);
            backlog.close().1
        };
        let why = "1 click waited, but in the outage from 100.000 s to 200.000 s no attempt failed";
        assert_eq!(closed(150_000).as_deref(), Some(why));
        assert_eq!(closed(10_000), None);
    }

    #[test]
    fn a_backlog_beyond_the_cap_of_which_nothing_was_late_needs_no_excuse() {
        let history = History::over(&[(Control, 0, 100)]).declaring(|of| of.click_slots = 1);
        let mut backlog = Backlog::of(&history.case);
        for click in 0..101 {
            backlog.acknowledged(Moment::from_ms(click), None);
        }
        assert_eq!(backlog.close().1, None);
    }

    #[test]
    fn what_else_was_asked_for_within_the_lag_takes_its_part_of_the_cap() {
        // Of a cap of three, the clicks keep one; they become deliverable at 230 s.
        let judged = |sent: Exchange| {
            let mut history = History::over(&[(Control, 0, 100), (Outage, 100, 200)])
                .promising(&client_rate_cap::REQUESTS, 3)
                .declaring(|of| of.click_slots = 1)
                .exchanges([refused("ann", 150_000, 503), sent]);
            history.case.ready();
            let mut backlog = Backlog::of(&history.case);
            let places: Vec<_> = (0..201)
                .map(|ms| backlog.acknowledged(Moment::from_ms(150_000 + ms), None))
                .collect();
            let since = places[0].since;
            backlog.offend(places[0], (since, Duration::ZERO), |_| Witness::new(since, "late"));
            backlog.close().0.count()
        };
        assert_eq!(
            [229_999, 230_000, 290_000, 290_001].map(|at| judged(read("ann", at))),
            [1, 0, 0, 1]
        );
        assert_eq!(judged(sent_click("c", 240_000, 202)), 1);
    }

    /// Clicks by the millisecond at which they are acknowledged, with nothing that hinders them and room
    /// for one batch: whether the flood is excused, when one of them is late.
    fn excused(clicks: &[(usize, u64)]) -> bool {
        let history = History::over(&[(Control, 0, 300)]).declaring(|of| of.click_slots = 1);
        let mut backlog = Backlog::of(&history.case);
        for &(count, at) in clicks {
            for _ in 0..count {
                let place = backlog.acknowledged(Moment::from_ms(at), None);
                backlog.offend(place, (place.since, Duration::ZERO), |_| {
                    Witness::new(place.since, "late")
                });
            }
        }
        backlog.close().1.is_some()
    }

    #[test]
    fn a_flood_without_any_hindrance_is_weighed_too() {
        assert!(excused(&[(101, 0)]) && !excused(&[(100, 0)]));
        assert!(excused(&[(50, 14_999), (51, 60_000)]), "within a click lag of each other");
        assert!(!excused(&[(51, 0), (51, 200_000)]), "one after the other");
    }

    #[test]
    fn a_place_is_told_by_what_it_waited_for() {
        let history = History::over(&[(Control, 0, 100), (Outage, 100, 200)]);
        let mut backlog = Backlog::of(&history.case);
        let mut told = |ms| {
            let place = backlog.acknowledged(Moment::from_ms(ms), None);
            tell(&history.case, &backlog.deliverable, place)
        };
        assert_eq!(told(1_000), "1.000 s deliverable: nothing hindered it");
        let waited =
            "230.000 s deliverable: until then it was hindered, from 100.000 s (out-at-100)";
        assert_eq!(told(150_000), waited);
    }
}
