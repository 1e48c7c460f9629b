//! Tiny histories of slow and stalled queries for `analytics-timeout`.

use super::*;
use crate::testing::{Decides, History, figures, given_up, hit_by, look};
use crate::verdict::Verdict;
use crate::verdict::VerdictKind::{self, *};
use mock_server::faults::{Fault, Matcher, Pick, Rule, Stall, Window};
use mock_server::history::exchange::Exchange;

fn stalled(handle: &str, at_ms: u64, until_ms: u64) -> Exchange {
    let given_up = given_up(handle, at_ms, until_ms);
    hit_by("stall", Exchange { route: Route::Analytics, ..given_up })
}

/// A good answer after so long.
fn slow(handle: &str, at_ms: u64, took_ms: u64) -> Exchange {
    let done = Moment::from_ms(at_ms + took_ms);
    Exchange { t_first: Some(done), t_w: Some(done), t_end: done, ..figures(handle, at_ms) }
}

#[track_caller]
fn check(history: History, expected: VerdictKind) -> Verdict {
    let verdict = history.judged_by(&AnalyticsTimeout);
    assert_eq!(verdict.kind, expected, "{} {:?}", verdict.observed, verdict.reason);
    verdict
}

const NAMES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

/// Queries that stall, three at each place, are given up after `stall_ms`; four answers take `slow_ms`,
/// and the creators who waited for them got `status`.
fn after(stall_ms: u64, slow_ms: u64, status: u16) -> History {
    let mut history = History::over(&[]);
    history.case.plan.faults.push(Rule {
        id: "trickle".into(),
        window: Window { from_ms: 0, until_ms: 1 },
        matcher: Matcher::default(),
        pick: Pick::All,
        fault: Fault::Stall(Stall { at: StallAt::Trickle { every_ms: 4_000 } }),
    });
    for (n, name) in (0..).zip(&NAMES[..6]) {
        let at = n * 100_000;
        let mut query = stalled(name, at, at + stall_ms);
        query.t_first = (n >= 3).then(|| Moment::from_ms(at + 1));
        if n == 5 {
            query.faults[0].rule = "trickle".into();
        }
        history = history.exchange(query).operation(look(name, at, at + stall_ms + 1, 504));
    }
    for (n, name) in (6..).zip(&NAMES[6..]) {
        let at = n * 100_000;
        let seen = look(name, at, at + slow_ms + 5, status);
        history = history.exchange(slow(name, at, slow_ms)).operation(seen);
    }
    history
}

fn good() -> History {
    after(30_000, 27_000, 200)
}

pub fn decided() -> Vec<Decides> {
    vec![Decides { bound: &WITHIN, value: 15_000, history: good }]
}

#[test]
fn thirty_seconds_hold_and_a_timer_may_be_a_twentieth_off() {
    let verdict = check(good(), Held);
    assert!(verdict.observed.contains("3 queries stalled before the head, 3 inside the body"));
    assert_eq!((verdict.seen, verdict.measures.len()), (10, 3));
    check(after(31_500, 27_000, 200), Held);
    let late = check(after(31_501, 27_000, 200), Violated);
    assert!(late.observed.contains("6 queries kept too long"), "{}", late.observed);
    check(after(28_500, 27_000, 200), Held);
    let early = check(after(28_499, 27_000, 200), Violated);
    assert!(early.observed.contains("6 given up early"), "{}", early.observed);
    // What is measured is never more exact than the harness.
    check(after(1_650, 1_350, 200).scaled(20), Held);
    check(after(1_651, 1_350, 200).scaled(20), Violated);
}

#[test]
fn a_limit_that_is_as_short_as_the_harness_is_exact_is_not_judged() {
    let undecidable = |limit_ms| {
        let history = good().promising(&WITHIN, limit_ms);
        AnalyticsTimeout.undecidable(&history.case).is_some()
    };
    assert!(undecidable(450) && !undecidable(451));
}

#[test]
fn pages_and_heads_are_no_queries() {
    let kept = stalled("x", 2_000_000, 2_060_000);
    let page = Exchange { route: Route::Profile, ..kept.clone() };
    let head = Exchange { method: "HEAD".into(), ..kept };
    check(good().exchanges([page, head]), Held);
}

#[test]
fn an_answer_in_time_must_be_shown() {
    assert_eq!(check(after(30_000, 27_000, 504), Violated).violations, 4);
    check(after(30_000, 28_500, 503), Violated);
    // The query went on when its creator had been sent away.
    let sent_away = look("x", 2_000_000, 2_025_000, 504);
    check(good().exchange(slow("x", 2_000_000, 27_000)).operation(sent_away), Violated);
    // Somebody else looks long before and long after.
    let (before, after) =
        (look("x", 1_900_000, 1_900_010, 200), look("x", 2_100_000, 2_100_010, 200));
    let alone = good().exchange(slow("x", 2_000_000, 20_000)).operations([before, after]);
    check(alone.operation(look("x", 2_000_000, 2_020_010, 504)), Violated);
    // The creator came when the query was under way already, or went before it was answered.
    let under_way = good().exchange(slow("x", 2_000_000, 20_000));
    check(under_way.operation(look("x", 2_005_000, 2_021_000, 504)), Held);
    let gone = Operation {
        status: None,
        failure: Some(OpFailure::Timeout),
        ..look("x", 2_000_000, 2_010_000, 504)
    };
    check(good().exchange(slow("x", 2_000_000, 20_000)).operation(gone), Held);
    let quick = good().exchange(slow("x", 2_000_000, 5_000));
    let verdict = check(quick.operation(look("x", 2_000_000, 2_005_010, 200)), Held);
    assert!(verdict.observed.contains("4 answers took three quarters"), "{}", verdict.observed);
    // So near to the limit it may have been over.
    let late = good().exchange(slow("x", 2_000_000, 28_501));
    check(late.operation(look("x", 2_000_000, 2_028_600, 504)), Held);
}

#[test]
fn a_limit_may_be_for_all_attempts_from_when_the_creator_asks() {
    let refused =
        Exchange { route: Route::Analytics, ..crate::testing::refused("x", 2_000_000, 503) };
    let waits = |until| look("x", 2_000_000, until, 504);
    let second = |until| stalled("x", 2_010_000, until);
    check(
        good().exchange(refused.clone()).exchange(second(2_030_000)).operation(waits(2_030_010)),
        Held,
    );
    check(good().exchange(refused.clone()).exchange(second(2_040_000)), Held);
    check(
        good().exchange(refused).exchange(second(2_028_000)).operation(waits(2_028_010)),
        Violated,
    );
}

#[test]
fn nobody_waits_or_somebody_else_looks_or_figures_are_shown_all_the_same() {
    let early = || good().exchange(stalled("x", 2_000_000, 2_005_000));
    check(early(), Held);
    check(early().operation(look("x", 2_000_000, 2_002_000, 504)), Held);
    check(early().operation(look("x", 2_000_000, 2_005_010, 504)), Violated);
    check(early().operation(look("x", 2_000_000, 2_005_010, 200)), Held);
    let gone = |until| Operation {
        status: None,
        failure: Some(OpFailure::Timeout),
        ..look("x", 2_000_000, until, 504)
    };
    check(early().operation(gone(2_005_100)), Held);
    check(early().operation(gone(2_005_101)), Violated);
    let foreign = Operation {
        did: crate::history::Did::ForeignAnalytics(crate::history::Look {
            session: Session::Another,
            ..Default::default()
        }),
        ..look("x", 2_000_000, 2_005_010, 403)
    };
    check(early().operation(foreign.clone()), Held);
    check(good().exchange(slow("x", 2_000_000, 5_000)).operation(foreign), Held);
    // Of two who look, nobody knows whose the answer was.
    let two = good()
        .exchange(slow("x", 2_000_000, 5_000))
        .operations([look("x", 2_000_000, 2_006_000, 504), look("x", 2_001_000, 2_006_000, 200)]);
    check(two, Held);
}

#[test]
fn what_was_not_met_often_is_inconclusive() {
    for (drop, name) in [(0, "before the head"), (3, "inside the body"), (5, "trickled")] {
        let mut history = good();
        history.judged().remove(drop);
        assert!(check(history, Inconclusive).reason.unwrap().contains(name));
    }
    let mut history = good();
    history.operations.truncate(8);
    assert!(check(history, Inconclusive).reason.unwrap().contains("three quarters"));
    check(History::over(&[]), Inconclusive);
}

#[test]
fn a_late_harness_a_kill_and_another_end_excuse() {
    let late = good().exchange(stalled("x", 2_000_000, 2_031_700)).lag(2_030_050, 300);
    assert!(check(late, Held).observed.contains("1 not judged"));
    let killed = good().exchange(stalled("x", 2_000_000, 2_005_000)).killed(2_005_000);
    check(killed.operation(look("x", 2_000_000, 2_005_000, 504)), Held);
    let reset = Exchange { end: End::ServerReset, ..stalled("x", 2_000_000, 2_005_000) };
    check(good().exchange(reset).operation(look("x", 2_000_000, 2_005_010, 502)), Held);
    let unshown = good().exchange(slow("x", 2_000_000, 5_000)).lag(2_004_000, 300);
    let verdict = check(unshown.operation(look("x", 2_000_000, 2_005_010, 504)), Held);
    assert!(verdict.observed.contains("1 not judged"), "{}", verdict.observed);
}
