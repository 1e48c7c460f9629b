//! A profile read that stalls is given up in time, wherever it stalls.
//!
//! Blind to: slow connects, which the kernel completes. Broken by: `no-timeout`,
//! `trickle-resets-timeout`.

use super::{AtOnce, Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::measure::{Gauge, humane};
use crate::verdict::{Verdict, Witness};
use mock_server::faults::{Caution, Fault, StallAt};
use mock_server::history::exchange::{End, Exchange};

/// Each stalled attempt must end by the client's own hand.
pub struct ProfileTimeout;

pub(crate) const WITHIN: Bound = Bound {
    of: "profile-timeout",
    name: "within_ms",
    what: "a stalled profile read is given up after this, each attempt for itself",
    unit: Unit::ContractTime,
    default: 10_000,
};

const PROMISE: Promise = Promise {
    id: "profile-timeout",
    statement: "A profile read that stalls is given up after 10 s, whether it stalls before the head, \
                inside the body or trickles.",
    priority: Priority::Standard,
    source: "assumed contract: `within_ms`, for each attempt",
    why: "stalled calls pile up until no worker, connection or visitor is left",
    usual_fix: "one time limit around connect, head and whole body; a read timeout restarts at each \
                byte",
    blind_to: "connects that hang; limits that are too short are reported and not judged",
    bounds: &[WITHIN],
    minimums: &[],
    // The stall itself is the mock's.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[],
    sees: &[Sight::Upstream],
};

impl Guarantee for ProfileTimeout {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

/// Stalled reads by place, of those that were judged.
#[derive(Default)]
struct Counts {
    before_head: usize,
    in_body: usize,
    trickled: usize,
    early: usize,
    unjudged: usize,
}

fn judge(case: &Case) -> Verdict {
    let bound = case.time(&WITHIN);
    let tolerance = case.harness.delta + case.harness.epsilon;
    let limit = bound + tolerance;
    let mut counts = Counts::default();
    let mut longest = None;
    let mut witnesses = Vec::new();
    for read in case.linktree.exchanges.iter().filter(|read| is_stalled(read)) {
        let deadline = read.t_req.plus(limit);
        let kept_waiting = read.t_end > deadline;
        let inexact = case
            .harness
            .too_slow_within(read.t_req.plus(bound).minus(case.harness.delta), deadline);
        let by_client = read.end == End::ClientAbort
            && !case.target.disturbed_within(read.t_end.minus(case.harness.delta), read.t_end);
        if (kept_waiting && (inexact || case.target.disturbed_within(read.t_req, deadline)))
            || !(kept_waiting || by_client)
        {
            counts.unjudged += 1;
            continue;
        }
        counts.early += usize::from(read.t_end.plus(tolerance) < read.t_req.plus(bound));
        match place(case, read) {
            StallAt::BeforeHead => counts.before_head += 1,
            StallAt::BeforeBody | StallAt::MidBody { .. } => counts.in_body += 1,
            StallAt::Trickle { .. } => counts.trickled += 1,
        }
        let waited = read.t_end.since(read.t_req);
        longest = longest.max(Some(waited));
        if kept_waiting {
            let what = format!(
                "a read that stalls ({}) was kept for {} instead of {}",
                words(place(case, read)),
                humane(waited),
                humane(bound),
            );
            witnesses.push(Witness::new(deadline, what).line(case.tell(read)));
        }
    }
    let Counts { before_head, in_body, trickled, early, unjudged } = counts;
    let observed = format!(
        "{before_head} stalled before the head, {in_body} inside the body, {trickled} trickled; \
         {} kept too long, {early} given up early; {unjudged} not judged (ended otherwise, the \
         harness was late, a restart or a pause)",
        witnesses.len(),
    );
    let longest = Gauge::within("longest stalled read", bound, tolerance).took(longest);
    let seen = before_head + in_body + trickled;
    Verdict::from_witnesses(seen, "stalled profile reads", witnesses)
        .only_if(before_head > 0, "no read that stalls before the head was judged")
        .only_if(in_body + trickled > 0, "no read that stalls inside the body was judged")
        .only_if(bound >= tolerance * 3, "the scaled timeout is too close to the tolerance")
        .measured([longest], observed, "given up wherever it stalls")
}

fn is_stalled(read: &Exchange) -> bool {
    read.route.is_page_read() && read.calls_for(Caution::Stalls)
}

/// Where a read stalled: as its rule says, or else as far as its answer came.
fn place(case: &Case, read: &Exchange) -> StallAt {
    let rules = case.plan.faults.iter();
    let hit = |id: &str| read.faults.iter().any(|mark| mark.rule == id);
    let stalls = |rule: &mock_server::faults::Rule| match rule.fault {
        Fault::Stall(stall) if hit(&rule.id) => Some(stall.at),
        _ => None,
    };
    let by_answer = if read.t_first.is_none() { StallAt::BeforeHead } else { StallAt::BeforeBody };
    rules.filter_map(stalls).next().unwrap_or(by_answer)
}

const fn words(place: StallAt) -> &'static str {
    match place {
        StallAt::BeforeHead => "before the head",
        StallAt::BeforeBody | StallAt::MidBody { .. } => "inside the body",
        StallAt::Trickle { .. } => "as a trickle",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Decides, History, given_up, hit_by, read};
    use crate::verdict::VerdictKind::{self, *};
    use mock_server::clock::Moment;
    use mock_server::faults::{Matcher, Pick, Rule, Stall, Window};

    fn stalled(at_ms: u64, until_ms: u64) -> Exchange {
        hit_by("stall", given_up("ann", at_ms, until_ms))
    }

    fn in_body(at_ms: u64, until_ms: u64) -> Exchange {
        Exchange { t_first: Some(Moment::from_ms(at_ms + 1)), ..stalled(at_ms, until_ms) }
    }

    fn check(history: History, expected: VerdictKind) -> Verdict {
        let verdict = history.judged_by(&ProfileTimeout);
        assert_eq!(verdict.kind, expected, "{} {:?}", verdict.observed, verdict.reason);
        verdict
    }

    /// Two reads given up in time, one at each place.
    fn good() -> History {
        History::over(&[]).exchange(stalled(0, 10_100)).exchange(in_body(20_000, 29_990))
    }

    pub(super) fn decided() -> Vec<Decides> {
        vec![Decides { bound: &WITHIN, value: 5_000, history: good }]
    }

    #[test]
    fn given_up_in_time_at_both_places_holds() {
        let verdict = check(good(), Held);
        assert!(verdict.observed.contains("; 1 stalled before the head, 1 inside the body"));
    }

    #[test]
    fn kept_too_long_or_still_open_violates() {
        check(good().exchange(stalled(40_000, 50_200)), Violated);
        let open = Exchange { end: End::Open, ..in_body(40_000, 70_000) };
        let verdict = check(good().exchange(open), Violated);
        assert!(verdict.witnesses[0].what.contains("inside the body) was kept for 30 s"));
    }

    #[test]
    fn a_trickle_that_was_waited_out_violates_and_is_told_by_its_rule() {
        let trickle = Rule {
            id: "rule-stall".into(),
            window: Window { from_ms: 0, until_ms: 1 },
            matcher: Matcher::default(),
            pick: Pick::All,
            fault: Fault::Stall(Stall { at: StallAt::Trickle { every_ms: 4_000 } }),
        };
        let waited_out = Exchange {
            t_w: Some(Moment::from_ms(60_000)),
            t_end: Moment::from_ms(60_000),
            ..hit_by("stall", read("ann", 40_000))
        };
        let mut history = History::over(&[]).exchange(waited_out);
        history.case.plan.faults.push(trickle);
        assert!(check(history, Violated).observed.contains("1 trickled; 1 kept too long"));
    }

    #[test]
    fn one_place_alone_is_inconclusive() {
        check(History::over(&[]).exchange(stalled(0, 10_000)), Inconclusive);
        check(History::over(&[]).exchange(in_body(0, 10_000)), Inconclusive);
        check(History::over(&[]).exchange(read("ann", 0)), Inconclusive);
    }

    #[test]
    fn an_early_end_is_reported_and_not_blamed() {
        let verdict = check(good().exchange(stalled(40_000, 45_000)), Held);
        assert!(verdict.observed.contains("1 given up early"));
    }

    #[test]
    fn a_late_harness_a_kill_and_the_end_of_the_recording_excuse() {
        let late = good().exchange(stalled(40_000, 50_400)).lag(50_050, 300);
        assert!(check(late, Held).observed.contains("1 not judged"));
        check(good().exchange(stalled(40_000, 45_000)).killed(44_990), Held);
        let woken = |from, until| good().exchange(stalled(40_000, 55_000)).paused(from, until);
        check(woken(48_000, 54_900), Held);
        check(woken(51_000, 54_900), Violated);
        let cut_off = Exchange { end: End::Open, ..stalled(40_000, 45_000) };
        assert!(check(good().exchange(cut_off), Held).observed.contains("1 not judged"));
    }

    #[test]
    fn a_timeout_too_short_for_the_tolerance_is_inconclusive() {
        let mut history = good().promising(&WITHIN, 400);
        history.case.linktree.exchanges.iter_mut().for_each(|read| read.t_end = read.t_req);
        check(history, Inconclusive);
    }
}
