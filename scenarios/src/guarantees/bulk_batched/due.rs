//! When a campaign must be over, what held it back, and whether the cap left room for it.

use super::launches::Launch;
use super::within;
use super::writes::Writes;
use crate::case::Case;
use crate::guarantees::evidence::{rate, rotations};
use crate::plan::contract_time;
use crate::spans::Spans;
use mock_server::clock::Moment;
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

/// What held writes back.
pub struct Due<'c> {
    case: &'c Case,
    held_back: Spans,
}

impl<'c> Due<'c> {
    /// Reads it from the history: told waits; calls that left something to be done, and the pause after
    /// them; whatever may have opened a breaker, as long as that stays open; ends and pauses of the target;
    /// keys of which nobody need know yet; and whenever the harness or the machine was too slow.
    pub fn of(case: &'c Case, writes: &Writes<'_>) -> Self {
        let open = case.times.breaker_open_longest;
        let mut spans: Vec<(Moment, Moment)> = case.target.down_spans().to_vec();
        spans.extend(case.target.pauses().iter().map(|(from, until)| (*from, until.plus(open))));
        spans.extend(rotations::gaps(case).iter().map(|(from, until)| (*from, until.plus(open))));
        spans.extend(case.linktree.refusals().map(|(from, until)| (from, until.plus(open))));
        let pause =
            if case.declared.certain_failures() <= 2 { pause(case).max(open) } else { pause(case) };
        let mut own = HashSet::new();
        for call in writes.calls().iter().filter(|call| call.leaves_something()) {
            own.insert(call.exchange.id);
            spans.push((call.exchange.t_head, call.exchange.t_known().plus(pause)));
        }
        for exchange in case.linktree.exchanges.iter() {
            let known = exchange.t_known();
            if exchange.is_definite_failure() && !own.contains(&exchange.id) {
                spans.push((exchange.t_req, known.plus(open)));
            }
            if let Some(until) = exchange.retry_after.as_ref().and_then(|after| after.until) {
                spans.push((exchange.t_req, until));
            }
        }
        spans.extend(case.harness.slow_spans());
        // What lasted for no time held nothing back, kept or not.
        spans.retain(|(from, until)| from < until);
        Self { case, held_back: Spans::joined(spans, Duration::ZERO) }
    }

    /// How much of the time between these moments something held writes back.
    fn excused(&self, from: Moment, until: Moment) -> Duration {
        let first = self.held_back.ending_at_or_after(from).map_or(usize::MAX, |(place, _)| place);
        let spans = self.held_back.all().get(first..).unwrap_or_default();
        // One that begins just then would add nothing.
        let inside = spans.iter().take_while(|span| span.0 < until);
        inside.map(|span| span.1.min(until).since(span.0.max(from))).sum()
    }

    /// When a campaign must be over, given what held it back until a moment.
    pub fn of_launch(&self, launch: &Launch, until: Moment) -> Moment {
        let allowed = within(self.case) + self.case.harness.delta;
        launch.last.plus(allowed + self.excused(launch.last, until))
    }

    /// How long a link took that was written at this moment, without what held it back.
    pub fn took(&self, launch: &Launch, at: Moment) -> Duration {
        at.since(launch.last).saturating_sub(self.excused(launch.last, at))
    }

    /// Why the campaign could not be over in time: others had used up what the cap leaves to calls that are
    /// no clicks. None where there was room for twice as many calls as it needs.
    pub fn no_room(&self, launch: &Launch, writes: &Writes<'_>, due: Moment) -> Option<String> {
        let case = self.case;
        let links: HashSet<(&str, &str)> =
            launch.links.iter().map(|(id, payload)| (id.as_str(), payload.as_str())).collect();
        let own = writes.calls().iter().filter(|call| {
            call.links.iter().any(|link| links.contains(&(link.id.as_str(), link.payload.as_str())))
        });
        let own: Vec<_> = own.collect();
        let failed = own.iter().filter(|call| call.leaves_something()).count();
        let most = (case.contract.batch.max_items as usize).max(1);
        let needed = (launch.links.len().div_ceil(most) * 2 + failed) * 2;
        let own: HashSet<u64> = own.iter().map(|call| call.exchange.id).collect();
        let others: Vec<Moment> = case
            .linktree
            .arrived(launch.last.minus(case.times.window), due)
            .iter()
            .filter(|one| !own.contains(&one.id))
            .map(|one| one.t_req)
            .collect();
        let room = room(case, &others, (launch.last, due), needed);
        (room < needed).then(|| {
            format!(
                "beside {} other calls the cap left room for {room} of the {needed} calls that a campaign \
                 of {} links may need in time, twice over",
                others.len(),
                launch.links.len()
            )
        })
    }
}

/// How many calls could have been made between these moments beside the others, up to so many: in the
/// smallest part of the cap that a service may leave to them.
fn room(case: &Case, others: &[Moment], (from, until): (Moment, Moment), most: usize) -> usize {
    let share = rate::cap(case).saturating_sub(case.declared.click_slots as usize);
    let share = share / case.declared.instances.max(1) as usize;
    let (window, step) = (case.times.window, case.times.window / 200);
    let (mut at, mut made, mut count) = (from, VecDeque::new(), 0);
    while at < until && count < most && !step.is_zero() {
        let begins = at.minus(window);
        while made.front().is_some_and(|made| *made <= begins) {
            made.pop_front();
        }
        let sent =
            others.partition_point(|one| *one <= at) - others.partition_point(|one| *one <= begins);
        if sent + made.len() < share {
            made.push_back(at);
            count += 1;
        }
        at = at.plus(step);
    }
    count
}

/// The longest pause that is usual after a call that failed: that before the fourth retry.
fn pause(case: &Case) -> Duration {
    let declared = &case.declared;
    let reads = contract_time(declared.waits_ms(4) - declared.waits_ms(3), case.time_scale);
    reads.max(case.times.click_backoff_base)
}

#[cfg(test)]
mod tests;
