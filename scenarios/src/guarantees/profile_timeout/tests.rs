//! Tiny histories of stalled reads for `profile-timeout`.

use super::*;
use crate::testing::{Decides, History, given_up, hit_by, page, read};
use crate::verdict::VerdictKind::{self, *};
use mock_server::faults::{Fault, Matcher, Pick, Rule, Stall, Window};
use mock_server::history::exchange::Exchange;

fn stalled(at_ms: u64, until_ms: u64) -> Exchange {
    hit_by("stall", given_up("ann", at_ms, until_ms))
}

fn in_body(at_ms: u64, until_ms: u64) -> Exchange {
    Exchange { t_first: Some(Moment::from_ms(at_ms + 1)), ..stalled(at_ms, until_ms) }
}

fn trickled(at_ms: u64, until_ms: u64) -> Exchange {
    let mut read = stalled(at_ms, until_ms);
    read.faults[0].rule = "trickle".into();
    read
}

fn check(history: History, expected: VerdictKind) -> Verdict {
    let verdict = history.judged_by(&ProfileTimeout);
    assert_eq!(verdict.kind, expected, "{} {:?}", verdict.observed, verdict.reason);
    verdict
}

/// Three reads of each kind are given up after this time, while a visitor waits.
fn after(ms: u64) -> History {
    let trickle = Rule {
        id: "trickle".into(),
        window: Window { from_ms: 0, until_ms: 1 },
        matcher: Matcher::default(),
        pick: Pick::All,
        fault: Fault::Stall(Stall { at: StallAt::Trickle { every_ms: 4_000 } }),
    };
    let mut history = History::over(&[]);
    history.case.plan.faults.push(trickle);
    (0..3).fold(history, |history, n| {
        let at = n * 150_000;
        let starts = [at, at + 50_000, at + 100_000];
        history
            .exchange(stalled(starts[0], starts[0] + ms))
            .exchange(in_body(starts[1], starts[1] + ms))
            .exchange(trickled(starts[2], starts[2] + ms))
            .operations(starts.map(|at| page("ann", at, at + ms + 1, "-")))
    })
}

fn good() -> History {
    after(10_000)
}

pub fn decided() -> Vec<Decides> {
    vec![Decides { bound: &WITHIN, value: 5_000, history: good }]
}

#[test]
fn given_up_in_time_at_every_place_holds_and_a_timer_may_be_a_twentieth_late() {
    let verdict = check(good(), Held);
    assert!(
        verdict.observed.contains("; 3 stalled before the head, 3 inside the body, 3 trickled")
    );
    assert_eq!(verdict.seen, 9);
    check(after(10_500), Held);
    check(after(10_501), Violated);
}

#[test]
fn kept_too_long_or_still_open_violates_with_the_longest_first() {
    let open = Exchange { end: End::Open, ..in_body(40_000, 70_000) };
    let verdict = check(good().exchange(stalled(20_000, 31_200)).exchange(open), Violated);
    assert_eq!(verdict.violations, 2);
    let longest = "a read that stalls (inside the body) was kept for 30 s";
    assert!(verdict.witnesses[0].what.starts_with(longest), "{verdict:?}");
}

#[test]
fn a_trickle_that_was_waited_out_violates_and_is_told_by_its_rule() {
    let waited_out = Exchange {
        t_w: Some(Moment::from_ms(60_000)),
        t_end: Moment::from_ms(60_000),
        ..hit_by("stall", read("ann", 40_000))
    };
    let waited_out = Exchange { faults: trickled(0, 1).faults, ..waited_out };
    assert!(check(good().exchange(waited_out), Violated).observed.contains("4 trickled; 1 kept"));
}

#[test]
fn a_place_that_was_not_met_often_is_inconclusive() {
    for place in ["before the head", "inside the body", "trickled"] {
        let mut history = good();
        let gone = history.case.linktree.exchanges.iter().position(|read| match place {
            "trickled" => read.faults[0].rule == "trickle",
            "inside the body" => read.t_first.is_some(),
            _ => read.t_first.is_none() && read.faults[0].rule != "trickle",
        });
        history.judged().remove(gone.unwrap());
        assert!(check(history, Inconclusive).reason.unwrap().contains(place));
    }
    check(History::over(&[]).exchange(read("ann", 0)), Inconclusive);
}

#[test]
fn an_early_end_violates_while_a_visitor_waits() {
    check(after(3_000), Violated);
    check(after(8_500), Held); // nine seconds less the tolerance
    check(after(8_499), Violated);
    // Nobody waits, or it is a retry, or the limit began with the visitor.
    check(good().exchange(stalled(40_000, 45_000)), Held);
    let gone = page("ann", 40_000, 42_000, "-");
    check(good().exchange(stalled(40_000, 45_000)).operation(gone), Held);
    let waits = || page("ann", 34_000, 46_000, "-");
    let retry = good().exchange(stalled(35_000, 44_000)).exchange(stalled(44_500, 45_900));
    check(retry.operation(waits()), Held);
    check(good().exchange(stalled(40_000, 45_000)).operation(waits()), Held);
}

#[test]
fn a_late_harness_a_kill_and_the_end_of_the_recording_excuse() {
    let late = good().exchange(stalled(40_000, 50_700)).lag(50_050, 300);
    assert!(check(late, Held).observed.contains("1 not judged"));
    check(good().exchange(stalled(40_000, 45_000)).killed(44_990), Held);
    let woken = |from, until| good().exchange(stalled(20_000, 35_000)).paused(from, until);
    check(woken(28_000, 34_900), Held);
    check(woken(31_000, 34_900), Violated);
    let cut_off = Exchange { end: End::Open, ..stalled(40_000, 45_000) };
    assert!(check(good().exchange(cut_off), Held).observed.contains("1 not judged"));
}

#[test]
fn a_timeout_too_short_for_the_tolerance_is_inconclusive() {
    check(after(300).promising(&WITHIN, 400), Inconclusive);
}

#[test]
fn who_answers_nobody_hears_no_timer_either() {
    let stalled = || good().exchange(stalled(20_000, 31_000));
    let kept = |sent, first| page("kept", sent, first, "v0");
    check(stalled(), Violated);
    check(stalled().operation(kept(29_900, 30_950)), Held);
    check(stalled().operation(kept(29_000, 29_900)), Violated);
    let others = (29_900..30_950).step_by(10).map(|at| kept(at, at + 1));
    check(stalled().operation(kept(29_900, 30_950)).operations(others), Violated);
}

#[test]
fn a_limit_around_all_attempts_may_have_begun_with_one_that_no_visitor_waited_for() {
    let retried = |first_ms| {
        let first = given_up("ann", first_ms, first_ms + 10_000);
        good()
            .exchanges([first, stalled(30_000, 30_900)])
            .operation(page("ann", 29_900, 31_000, "-"))
    };
    // For as long as two limits: what came before has ended.
    check(retried(10_000), Held);
    check(retried(9_999), Violated);
    let other = given_up("bob", 20_000, 29_000);
    check(retried(9_999).exchange(other), Violated);
}

#[test]
fn an_answer_that_comes_late_is_to_be_given_up_as_well() {
    let late = |until| hit_by("latency", given_up("ann", 40_000, until));
    let waits = || page("ann", 40_000, 70_000, "-");
    let judged = |exchange| check_seen(good().exchange(exchange).operation(waits()));
    assert_eq!(judged(late(50_000)), (Held, 10));
    assert_eq!(judged(late(50_501)), (Violated, 10));
    assert_eq!(judged(late(48_499)), (Violated, 10)); // early, whatever it would have taken
    let answered = |until| {
        let end = Moment::from_ms(until);
        hit_by("latency", Exchange { t_w: Some(end), t_end: end, ..read("ann", 40_000) })
    };
    assert_eq!(judged(answered(50_500)), (Held, 9));
    assert_eq!(judged(answered(50_501)), (Violated, 10));
}

fn check_seen(history: History) -> (VerdictKind, u64) {
    let verdict = history.judged_by(&ProfileTimeout);
    (verdict.kind, verdict.seen)
}

#[test]
fn a_visitor_waits_who_came_before_the_read_and_left_after_it() {
    let early = |from, until| {
        let visit = page("ann", from, until, "-");
        good().exchange(stalled(30_000, 35_000)).operation(visit)
    };
    check(early(30_000, 35_000), Violated);
    check(early(30_101, 36_000), Held); // the read was another one's
    check(early(30_000, 34_899), Held); // gone
}

#[test]
fn only_page_reads_that_stalled_are_judged() {
    let click = crate::testing::sent_click("a", 40_000, 202);
    let end = Moment::from_ms(70_000);
    let click = Exchange { end: End::ClientAbort, t_end: end, t_w: None, ..click };
    let others = [hit_by("stall", click), given_up("bob", 40_000, 41_000), read("zoe", 42_000)];
    let verdict = check(good().exchanges(others), Held);
    assert!(verdict.seen == 9 && verdict.observed.contains("; 0 not judged"), "{verdict:?}");
}
