//! A profile read that stalls is given up in time, wherever it stalls, and not before.
//!
//! Blind to: slow connects, which the kernel completes. Broken by: `no-timeout`,
//! `trickle-resets-timeout`, `timeout-ends-with-the-head`, `timeout-of-three-seconds`.

use super::evidence::busy::Busy;
use super::evidence::stalls::{place, words};
use super::evidence::too_short::too_short;
use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::{Case, JudgedExchange};
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::faults::{Caution, FaultKind, StallAt};
use mock_server::history::exchange::End;
use std::collections::HashMap;
use std::time::Duration;

/// Each stalled attempt must end by the client's own hand.
pub struct ProfileTimeout;

pub(crate) const WITHIN: Bound = Bound {
    of: "profile-timeout",
    name: "within_ms",
    what: "a stalled profile read is given up after this, each attempt for itself",
    unit: Unit::ContractTime,
    default: 10_000,
};

const BEFORE_HEAD: Minimum = Minimum { name: "reads that stalled before the head", least: 3 };
const IN_BODY: Minimum = Minimum { name: "reads that stalled inside the body", least: 3 };
const TRICKLED: Minimum = Minimum { name: "reads that trickled", least: 3 };
const WAITED_FOR: Minimum =
    Minimum { name: "first attempts given up while a visitor waited", least: 5 };

const PROMISE: Promise = Promise {
    id: "profile-timeout",
    statement: "A profile read that stalls is given up after 10 s, whether it stalls before the head, \
                inside the body or trickles.",
    priority: Priority::Standard,
    source: "assumed contract: `within_ms`, for each attempt; a timer of its own may be a \
             twentieth late, and is early below nine tenths",
    why: "stalled calls pile up until no worker, connection or visitor is left; limits that are too \
          short turn a slow Linktree into one that is down",
    usual_fix: "one time limit around connect, head and whole body; a read timeout restarts at each \
                byte",
    blind_to: "connects that hang; limits that are too short for retries, or while nobody waits",
    bounds: &[WITHIN],
    minimums: &[BEFORE_HEAD, IN_BODY, TRICKLED, WAITED_FOR],
    // The stall itself is the mock's.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

impl Guarantee for ProfileTimeout {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn undecidable(&self, case: &Case) -> Option<String> {
        let needed = (case.harness.delta + case.harness.epsilon) * 3;
        too_short(case, "the timeout", case.time(&WITHIN), needed, "`within_ms` of profile-timeout")
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let mut reads: HashMap<&str, Vec<(&JudgedExchange, Option<Moment>)>> = HashMap::new();
        for read in case.linktree.exchanges.iter().filter(|read| is_stalled(case, read)) {
            reads.entry(read.handle.as_deref().unwrap_or_default()).or_default().push((read, None));
        }
        Box::new(Stalled { case, reads, busy: Busy::over(case) })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

/// Stalled reads by creator, each with the first visitor who was waiting when it was given up.
struct Stalled<'c> {
    case: &'c Case,
    reads: HashMap<&'c str, Vec<(&'c JudgedExchange, Option<Moment>)>>,
    busy: Busy<'c>,
}

/// Stalled reads by place, of those that were judged.
#[derive(Default)]
struct Counts {
    before_head: usize,
    in_body: usize,
    trickled: usize,
    waited_for: usize,
    unjudged: usize,
}

impl Judge for Stalled<'_> {
    fn operation(&mut self, view: &Operation<'_>) {
        self.busy.note(view);
        if view.page().is_none() {
            return;
        }
        let delta = self.case.harness.delta;
        let Some(reads) = self.reads.get_mut(view.handle.as_ref()) else { return };
        // In order of arrival, and none ends before it has come.
        let next = reads.partition_point(|(read, _)| read.t_req.plus(delta) < view.sent);
        let during = reads[next..].iter_mut();
        for (read, waiting) in during.take_while(|(read, _)| read.t_req <= view.last.plus(delta)) {
            if read.t_end <= view.last.plus(delta) {
                *waiting = Some(waiting.map_or(view.sent, |first| first.min(view.sent)));
            }
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let Self { case, reads, busy } = *self;
        // Who computes and answers nobody hears no timer either.
        let hearing = busy.spans();
        let bound = case.time(&WITHIN);
        let tolerance = tolerance(case);
        let least = bound * 9 / 10;
        let mut counts = Counts::default();
        let (mut longest, mut shortest) = (None, None);
        let (mut late, mut early) = (Vec::new(), Vec::new());
        for &(read, waiting) in reads.values().flatten() {
            let deadline = hearing.heard_by(read.t_req.plus(bound), tolerance);
            let kept_waiting = read.t_end > deadline;
            let inexact = case
                .harness
                .too_slow_within(read.t_req.plus(bound).minus(case.harness.delta), deadline);
            let by_client = read.end == End::ClientAbort
                && !case.target.disturbed_within(read.t_end.minus(case.harness.delta), read.t_end);
            // Late, but for a cause of its own that says nothing of the timer.
            let excused = !kept_waiting && read.t_end > read.t_req.plus(bound + tolerance);
            if excused
                || (kept_waiting && (inexact || case.target.disturbed_within(read.t_req, deadline)))
                || !(kept_waiting || by_client)
            {
                counts.unjudged += 1;
                continue;
            }
            let place = place(case, read);
            match place {
                StallAt::BeforeHead => counts.before_head += 1,
                StallAt::BeforeBody | StallAt::MidBody { .. } => counts.in_body += 1,
                StallAt::Trickle { .. } => counts.trickled += 1,
            }
            let waited = read.t_end.since(read.t_req);
            longest = longest.max(Some(waited));
            if kept_waiting {
                let what = format!(
                    "a read that stalls ({}) was kept for {} instead of {}",
                    words(place),
                    humane(waited),
                    humane(bound),
                );
                let witness = Witness::new(deadline, what).lasting(waited).line(case.tell(read));
                late.push(witness);
            }
            // A limit around all attempts may have begun with the visitor, or with an attempt before.
            let Some(sent) = waiting.filter(|_| is_first(case, read)) else { continue };
            counts.waited_for += 1;
            let given = read.t_end.since(sent.min(read.t_req));
            shortest = Some(shortest.map_or(given, |least: Duration| least.min(given)));
            if given + tolerance < least {
                let what = format!(
                    "a read that stalls ({}) was given up after {} instead of {}, while its visitor waited",
                    words(place),
                    humane(waited),
                    humane(bound),
                );
                let witness = Witness::new(read.t_end, what)
                    .lasting(bound.saturating_sub(given))
                    .line(format!("{} the visitor came", case.at(sent)))
                    .line(case.tell(read));
                early.push(witness);
            }
        }
        let Counts { before_head, in_body, trickled, waited_for, unjudged } = counts;
        let observed = format!(
            "{before_head} stalled before the head, {in_body} inside the body, {trickled} trickled; \
             {} kept too long, {} of {waited_for} given up early while a visitor waited; {unjudged} not \
             judged (ended otherwise, the harness was late, a restart or a pause)",
            late.len(),
            early.len(),
        );
        let gauges = [
            Gauge::within("longest stalled read", bound, tolerance)
                .at_scale(case.time_scale)
                .took(longest),
            Gauge::lasting("shortest first attempt that stalled", least, tolerance).took(shortest),
        ];
        let strength = [
            BEFORE_HEAD.seen(before_head),
            IN_BODY.seen(in_body),
            TRICKLED.seen(trickled),
            WAITED_FOR.seen(waited_for),
        ];
        let witnesses = late.into_iter().chain(early).collect();
        Verdict::from_witnesses(
            before_head + in_body + trickled,
            "stalled profile reads",
            witnesses,
        )
        .at_least(strength)
        .measured(gauges, observed, "given up wherever it stalls")
    }
}

/// Whether no other attempt at the same came in the time of this one's limit before it.
fn is_first(case: &Case, read: &JudgedExchange) -> bool {
    let from = read.t_req.minus(case.time(&WITHIN) * 2);
    let key = read.logical_key();
    !case.linktree.arrived(from, read.t_req).iter().any(|one| one.logical_key() == key)
}

/// Whether a read was kept from its end, be it for good or for longer than it may take: an answer that comes
/// late was to be given up as well.
fn is_stalled(case: &Case, read: &JudgedExchange) -> bool {
    let late = || {
        let most = case.time(&WITHIN) + tolerance(case);
        let given_up = read.end == End::ClientAbort || read.t_end.since(read.t_req) > most;
        given_up && read.faults.iter().any(|mark| mark.kind == FaultKind::Latency)
    };
    read.is_page_read() && (read.calls_for(Caution::Stalls) || late())
}

/// By how much a client's own timer of this length may be late.
fn tolerance(case: &Case) -> Duration {
    (case.harness.delta + case.harness.epsilon).max(case.time(&WITHIN) / 20)
}

#[cfg(test)]
mod tests;
