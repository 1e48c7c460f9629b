//! A key that is rotated under traffic is picked up: no click, no page and no storm of refusals is the price.
//!
//! It is judged whole where the plan rotates the key; elsewhere it is watched that no alert comes of a key
//! that is not old yet.
//!
//! Blind to: an age or an alert that the service does not have. Broken by: `key-read-once`,
//! `clicks-keep-the-first-key`, `no-page-while-the-key-is-refused`, `age-of-the-first-key`,
//! `key-age-since-the-start`, `key-age-alert-never-fires`, `key-age-alert-at-sixty-days`.

mod ages;
mod old;
mod refusals;

use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit, click_lag};
use crate::case::Case;
use crate::front_door::FrontRoute;
use crate::guarantees::evidence::alerts;
use crate::guarantees::evidence::backlog::Backlog;
use crate::guarantees::evidence::deliveries::Deliveries;
use crate::guarantees::evidence::newcomers::{Newcomers, is_excused};
use crate::guarantees::evidence::rotations::{self, Turn};
use crate::guarantees::evidence::there::There;
use crate::history::Operation;
use crate::measure::{Gauge, humane, so_many};
use crate::strength::{Minimum, Strength};
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::world::{TimedEvent, WorldEvent};
use std::time::Duration;

const REFUSALS: Bound = Bound {
    of: "key-rotation",
    name: "refusals",
    what: "most rows of refused calls, for each process, after a key was revoked at once: those that were \
           under way together are one",
    unit: Unit::Count,
    default: 5,
};

const OLD: Bound = Bound {
    of: "key-rotation",
    name: "old_ms",
    what: "an alert fires when the key in use is older",
    unit: Unit::RealTime,
    default: 90 * 86_400_000,
};

const ROTATIONS: Minimum = Minimum { name: "rotations of the key", least: 2 };
const CALLS: Minimum = Minimum { name: "good calls with the new key after each", least: 20 };
const READS: Minimum = Minimum { name: "views of pages that were there after each", least: 20 };
const CLICKS: Minimum = Minimum { name: "acknowledged clicks after each", least: 5 };
const AGES: Minimum = Minimum { name: "scrapes with the key's age", least: 10 };

const PROMISE: Promise = Promise {
    id: "key-rotation",
    statement: "A key rotated under traffic is picked up without a lost click, an unserved page or a storm \
                of 401s; key age is exposed and alerts past 90 days.",
    priority: Priority::Standard,
    source: "checklist; `key_pickup_ms` of [declared], one minute unless it says otherwise; assumed \
             contract: both keys are good in the overlap, then the old one gets 401, and a key's age \
             follows from `created_at` of /me; an alert must come for a key of 91 days, and not for one of 80",
    why: "A key that must be changed in a hurry, because it leaked or expires, takes the service down with \
          it; so nobody changes keys, and they grow old.",
    usual_fix: "Ask the secrets manager every so often and once more when a call is refused with 401, try that call \
                again with the new key, let every part of the service ask the same holder of the key, and \
                go on with pages that are there and clicks that wait. Take a key's age from Linktree, and \
                alert on it.",
    blind_to: "An age or an alert that the service does not have, and how soon the alert ends. Calls that were under way when the key ended. Pages that nobody had \
               seen, where the old key ended before the new one must be known.",
    bounds: &[REFUSALS, OLD],
    minimums: &[ROTATIONS, CALLS, READS, CLICKS, AGES, alerts::LOUD, alerts::NEAR],
    // Each visitor is judged by what was met, and when.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[FrontRoute::Clicks, FrontRoute::Metrics],
    sees: &[Sight::Upstream, Sight::FrontDoor, Sight::Metrics],
};

/// See the module.
pub struct KeyRotation;

/// What was seen between one rotation and the next.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    reads: usize,
    clicks: usize,
}

struct Turning<'c> {
    case: &'c Case,
    turns: Vec<Turn<'c>>,
    there: There<'c>,
    newcomers: Newcomers<'c>,
    deliveries: Deliveries<'c>,
    backlog: Backlog<'c>,
    /// For each rotation.
    seen: Vec<Seen>,
    /// Pages that were there and were not shown.
    dark: Offences,
    judged_reads: usize,
    judged_clicks: usize,
    /// The longest that a click of a rotation took, less what the harness stood still.
    slowest: Option<Duration>,
}

impl Guarantee for KeyRotation {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let turns = rotations::of(case);
        // The overlaps that leave time for the pick-up: a good key was known for certain.
        let seamless = turns.iter().filter(|turn| turn.is_seamless());
        let overlap = |turn: &Turn<'_>| (turn.at, turn.rotation.valid_until, told(case, turn));
        let overlaps = seamless.map(overlap).collect();
        Box::new(Turning {
            case,
            seen: vec![Seen::default(); turns.len()],
            there: There::of(case),
            newcomers: Newcomers::over(case, overlaps, turns.first().map(|turn| turn.at)),
            turns,
            deliveries: Deliveries::of(case),
            backlog: Backlog::of(case),
            dark: Offences::default(),
            judged_reads: 0,
            judged_clicks: 0,
            slowest: None,
        })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

impl Judge for Turning<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        if operation.page().is_some() && self.case.plan.population.contains(&operation.handle) {
            self.view(operation);
        } else if operation.event_id().is_some() && operation.is_ok() {
            self.click(operation);
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let Self { case, turns, newcomers, backlog, seen, dark, .. } = *self;
        let called = refusals::judged(case, &turns, case.count(&REFUSALS));
        let ages = ages::judged(case, &turns);
        let alert = old::judged(case, &turns);
        let (of_the_alert, told) = (alert.words(), alert.untold.is_none());
        let alert = alert.compared;
        let turns_keys = is_turning(case, &turns);
        let (late, infeasible) = backlog.close();
        let [missed, unfounded] = alert.gauges();
        let (unserved, refused) = (newcomers.unserved(), called.offences.count());
        let gauges = [
            Gauge::none_of("keys that were not picked up in time")
                .counted(called.not_picked_up, turns.len()),
            Gauge::none_of("calls with a key that had ended").counted(called.ended, turns.len()),
            Gauge::at_most("rows of refused calls", called.most_rows)
                .counted(called.rows as u64, turns.len()),
            Gauge::none_of("pages that were not served")
                .counted(dark.count() + unserved.count(), self.judged_reads),
            Gauge::within("slowest click", case.time(&click_lag::WITHIN), case.harness.delta)
                .at_scale(case.time_scale)
                .took(self.slowest),
            Gauge::none_of("ages that are no key's").counted(ages.offences.count(), ages.seen),
            missed,
            unfounded,
        ];
        let fewest = |of: &dyn Fn(&Seen) -> usize| seen.iter().map(of).min().unwrap_or(0);
        let asked = |minimum: Minimum, is_asked: bool, seen| {
            minimum.of(seen, if is_asked { minimum.least } else { 0 })
        };
        let turning = |minimum, seen| asked(minimum, turns_keys, seen);
        let [is_old, is_nearly] = old::first_is(case);
        let [loud, near] = alert.strength();
        let strength = [
            turning(ROTATIONS, turns.len()),
            turning(CALLS, called.fewest_good),
            turning(READS, fewest(&|one| one.reads)),
            turning(CLICKS, fewest(&|one| one.clicks)),
            turning(AGES, ages.seen),
            Strength { least: if told && is_old { loud.least } else { 0 }, ..loud },
            Strength { least: if told && is_nearly { near.least } else { 0 }, ..near },
        ];
        let observed = format!(
            "{}, {} of them with an overlap that leaves time for the pick-up; {} with an old key too late; {} \
             there and {} in the midst of it, {} of the clicks late; {} of pages; {of_the_alert}",
            so_many(turns.len(), "rotation", "rotations"),
            turns.iter().filter(|turn| turn.is_seamless()).count(),
            so_many(refused, "call or row of calls", "calls or rows of calls"),
            so_many(self.judged_reads, "view of a page that was", "views of pages that were"),
            so_many(self.judged_clicks, "click", "clicks"),
            late.count(),
            so_many(newcomers.judged(), "first visit", "first visits"),
        );
        let rule = format!(
            "the new key in use {} after the rotation, no call with a key that has ended {} (2 δ) after its \
             end where the overlap leaves time for that, otherwise a few rows of them and none after the \
             pick-up; from the rotation until both are over pages that were there are 2xx, and clicks \
             arrive as click-lag promises; the exposed age is that of a key in use, give or take the \
             pick-up and {}, and an alert comes within {} when it is older than {}, and not before",
            humane(rotations::pickup(case)),
            humane(2 * case.harness.delta),
            humane(ages::TOLERANCE),
            humane(old::about(case).near_for),
            (old::about(case).words)(old::about(case).loud_above),
        );
        let judged = match turns.is_empty() {
            true if turns_keys => 0,
            true => alert.seen(),
            false => turns.len() + self.judged_reads + self.judged_clicks,
        };
        let mut offences = called.offences;
        for other in [dark, unserved, late, ages.offences, alert.offences] {
            offences.join(other);
        }
        offences
            .verdict(judged, "things that a rotation can break")
            .unless(infeasible.or(ages.why_none).filter(|_| turns_keys))
            .at_least(strength)
            .unless(alert.unjudged)
            .measured(gauges, observed, rule)
    }

    fn is_at_once(&self) -> bool {
        true
    }
}

impl Turning<'_> {
    fn view(&mut self, view: &Operation<'_>) {
        let was_there = self.there.note(view);
        self.newcomers.note(view, was_there);
        let Some(nth) = self.turn_before(view.sent) else { return };
        if !was_there {
            return;
        }
        self.seen[nth].reads += 1;
        let (case, turn) = (self.case, &self.turns[nth]);
        if view.sent > turn.over() || is_excused(case, view) {
            return;
        }
        self.judged_reads += 1;
        if !view.is_ok() {
            self.dark.add(view.sent, || {
                let what = format!("the page of {}, which was there, was not shown", view.handle);
                Witness::new(view.sent, what).line(told(case, turn)).line(case.tell_operation(view))
            });
        }
    }

    fn click(&mut self, click: &Operation<'_>) {
        let settled = click.event_id().and_then(|id| self.deliveries.find(id)?.settled());
        let waits = self.backlog.acknowledged(click.last, settled);
        let Some(nth) = self.turn_before(click.last) else { return };
        self.seen[nth].clicks += 1;
        let (case, turn) = (self.case, &self.turns[nth]);
        let (at, has_arrived) = match settled {
            Some(at) => (at, true),
            None if case.harness.completed() => (case.harness.closed, false),
            None => return,
        };
        if click.last > turn.over() {
            return;
        }
        let allowed = case.time(&click_lag::WITHIN) + case.harness.delta;
        let stalled = case.harness.stalled_within(waits.since, at);
        let late = at.since(waits.since).saturating_sub(stalled);
        let is_late = late > allowed;
        self.judged_clicks += usize::from(has_arrived || is_late);
        if has_arrived || is_late {
            self.slowest = self.slowest.max(Some(late));
        }
        if is_late {
            let due = waits.since.plus(allowed);
            let turn = told(case, turn);
            self.backlog.offend(waits, (due, late), |hindered| {
                let id = click.event_id().unwrap_or_default();
                let fate = if has_arrived { "arrived" } else { "had not arrived" };
                let late = humane(late);
                Witness::new(due, format!("click {id} {fate} {late} after it could be delivered"))
                    .line(turn)
                    .line(format!("{} acknowledged at the front door", case.at(click.last)))
                    .line(hindered)
            });
        }
    }

    /// The last rotation up to a moment.
    fn turn_before(&self, at: Moment) -> Option<usize> {
        self.turns.partition_point(|turn| turn.at <= at).checked_sub(1)
    }
}

/// Whether the plan rotates the key, or somebody did.
fn is_turning(case: &Case, turns: &[Turn<'_>]) -> bool {
    let rotates = |one: &TimedEvent| matches!(one.event, WorldEvent::RotateKey { .. });
    !turns.is_empty() || case.plan.world.iter().any(rotates)
}

/// A line of a witness's story about a rotation.
fn told(case: &Case, turn: &Turn<'_>) -> String {
    format!(
        "{} {} takes the place of {}, which is good until {}",
        case.at(turn.at),
        turn.rotation.new_id,
        turn.rotation.old_id,
        case.at(turn.rotation.valid_until),
    )
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod unturned_tests;
