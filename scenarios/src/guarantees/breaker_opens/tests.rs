//! Tiny histories of breakers, sound and broken, for `breaker-opens`.

use super::*;
use crate::testing::{Decides, History, broken_off, given_up, page, read, refused};
use crate::verdict::VerdictKind::{self, *};
use mock_server::contract::Route;
use mock_server::history::exchange::End;

/// A success at 0 s, then an outage from 1 s on, with these failures in seconds.
fn outage(failures: &[u64]) -> History {
    let fail = |second: &u64| refused("ann", second * 1_000, 503);
    History::over(&[(PhaseKind::Control, 0, 1), (PhaseKind::BreakerProbe, 1, 200)])
        .exchange(read("ann", 0))
        .exchanges(failures.iter().map(fail))
}

/// A visitor every second from 1 s to 200 s, each answered within 10 ms.
pub fn visited(history: History) -> History {
    history.operations((1..200).map(|n| page("bob", n * 1_000, n * 1_000 + 10, "-")))
}

fn check(history: History, expected: VerdictKind, word: &str) {
    let verdict = visited(history).judged_by(&BreakerOpens);
    let text = format!("{verdict:?}");
    assert!(verdict.kind == expected && text.contains(word), "{text}");
}

/// Every other page view takes too long while the breaker is open.
fn often_slow() -> History {
    let wait = |n: u64| page("carl", n, n + 1_500, "-");
    visited(outage(&[1, 2, 3, 4, 5]).operations((100..150).map(|n| wait(n * 100))))
}

pub fn decided() -> Vec<Decides> {
    vec![Decides { bound: &FAST, value: 1, history: often_slow }]
}

#[test]
fn five_failures_and_then_a_probe_each_open_time_hold() {
    check(outage(&[1, 2, 3, 4, 5, 35, 65, 95]), Held, "4 open times, 3 of them");
}

#[test]
fn connections_that_were_broken_off_may_have_counted() {
    // Counted, the breaker opened after the fourth failure and probes again 30 s after it.
    let counted = outage(&[1, 2, 3, 4, 34]).exchange(broken_off("reset", 3_500, 3_500));
    let verdict = visited(counted).judged_by(&BreakerOpens);
    assert!(verdict.witnesses.is_empty(), "{verdict:?}");
    // The row is broken, so that nothing is certain before five more.
    let row = outage(&[1, 2, 3, 4, 5, 6]).exchange(broken_off("reset", 3_500, 3_500));
    assert!(visited(row).judged_by(&BreakerOpens).witnesses.is_empty());
}

#[test]
fn where_connections_were_refused_nothing_is_certain_of_the_breaker() {
    let refused = |from, until| broken_off("refuse", from, until);
    // It may have opened within the refusals, whose number nobody knows, and probe at any time.
    let before = outage(&[6, 7, 8, 9, 10, 11]).exchange(refused(2_000, 5_000));
    assert!(visited(before).judged_by(&BreakerOpens).witnesses.is_empty());
    let between = outage(&[1, 2, 3, 4, 5, 20]).exchange(refused(6_000, 19_000));
    assert!(visited(between).judged_by(&BreakerOpens).witnesses.is_empty());
    let after = outage(&[1, 2, 3, 4, 5, 6]).exchange(refused(90_000, 91_000));
    check(after, Violated, "1 attempts got through the breaker");
}

#[test]
fn an_answer_that_a_fault_bent_is_neither_failure_nor_success() {
    let bent = |at| Exchange { doubtful: true, ..read("ann", at) };
    let partial = |at| crate::testing::hit_by("partial-failure", read("ann", at));
    for unclear in [bent(3_500), partial(3_500)] {
        let row = outage(&[1, 2, 3, 4, 5, 6, 7]).exchange(unclear.clone());
        assert!(visited(row).judged_by(&BreakerOpens).witnesses.is_empty(), "{unclear:?}");
    }
}

#[test]
fn a_sixth_failure_violates() {
    check(outage(&[1, 2, 3, 4, 5, 6]), Violated, "1 attempts got through the breaker");
    check(outage(&[1, 2, 3, 4, 5, 20]), Violated, "the first 14.955 s before");
}

#[test]
fn never_opening_violates_even_when_no_row_is_certain() {
    let every: Vec<u64> = (1..100).collect();
    check(outage(&every), Violated, "got through");
    let mut blind = outage(&every);
    blind.case.linktree.exchanges.remove(0);
    check(blind, Violated, "7 attempts within one open time of a total outage");
}

#[test]
fn a_second_attempt_after_a_failed_probe_violates() {
    check(outage(&[1, 2, 3, 4, 5, 36, 37]), Violated, "after its probes");
}

#[test]
fn a_crowd_beside_a_slow_probe_violates_even_if_it_succeeds() {
    let slow = |at: u64| Exchange {
        t_w: Some(Moment::from_ms(at + 900)),
        t_end: Moment::from_ms(at + 900),
        ..read("ann", at)
    };
    let probe = || outage(&[1, 2, 3, 4, 5, 36]).exchange(slow(67_000));
    check(probe(), Held, "3 open times");
    check(probe().exchange(slow(67_100)), Violated, "1 attempts got through the breaker after its");
}

#[test]
fn timeouts_are_failures_and_early_aborts_are_not() {
    let stalled = |until: u64| {
        let stall = move |n: u64| given_up("ann", n * 12_000, n * 12_000 + until);
        outage(&[]).exchanges((1..=7).map(stall))
    };
    check(stalled(10_000), Violated, "got through");
    check(stalled(5_000), Inconclusive, "no open times");
}

#[test]
fn attempts_on_their_way_and_late_successes_excuse() {
    let on_the_way = outage(&[1, 2, 3, 4, 5, 36]).exchange(refused("bob", 5_150, 503));
    check(on_the_way, Held, "");
    let late = Exchange { t_w: Some(Moment::from_ms(9_000)), ..read("carl", 4_500) };
    let again =
        || outage(&[1, 2, 3, 4, 5, 10, 20, 21, 22, 23, 24, 55]).exchange(read("ann", 15_000));
    check(again().exchange(late), Held, "got through in 0");
    check(again().killed(7_000), Held, "got through in 0");
}

#[test]
fn a_new_process_begins_with_a_closed_breaker() {
    let again = |failures: &[u64]| outage(failures).killed_until(7_000, 8_000);
    check(again(&[1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 44]), Held, "3 open times");
    check(again(&[1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]), Violated, "got through");
    check(again(&[1, 2, 3, 4, 5, 6, 10]), Violated, "got through");
    let stopped = outage(&[1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 45]).terminated(6_500, 7_000, 8_000);
    check(stopped, Held, "got through in 0");
}

#[test]
fn what_a_process_that_stands_still_has_heard_is_not_certain() {
    check(outage(&[1, 2, 3, 4, 5, 6]).paused(2_500, 2_700), Inconclusive, "no open times");
    check(outage(&[1, 2, 3, 4, 5, 6]).paused(5_050, 5_900), Inconclusive, "no open times");
    check(outage(&[1, 2, 3, 4, 5, 36, 50]).paused(40_000, 45_000), Held, "got through in 0");
    check(outage(&[1, 2, 3, 4, 5, 8]).paused(10_000, 15_000), Violated, "got through");
    let woken = outage(&[1, 2]).paused(3_000, 4_000).exchange(read("ann", 6_000));
    let fails = |n: u64| refused("ann", 6_000 + n * 1_000, 503);
    check(woken.exchanges((1..=6).map(fails)), Violated, "got through");
}

#[test]
fn results_that_may_or_may_not_count_move_the_probe_and_not_the_trip() {
    // A 429 may be the fifth failure, at 4 s, which makes a probe at 34 s legal; or it may reset.
    let unclear = |failures: &[u64]| outage(failures).exchange(refused("ann", 500, 429));
    check(unclear(&[1, 2, 3, 4, 5, 34]), Held, "");
    check(unclear(&[1, 2, 3, 4, 5, 30]), Violated, "got through");
    let reset = outage(&[1, 2, 4, 5, 6]).exchange(refused("ann", 3_000, 404));
    check(reset, Inconclusive, "no open times");
}

#[test]
fn slow_pages_while_it_is_open_violate_when_they_are_many() {
    let wait = |n: u64| page("carl", n, n + 1_500, "-");
    let few = outage(&[1, 2, 3, 4, 5, 36]).operations((10..12).map(|n| wait(n * 1_000)));
    check(few, Held, "open: 2; ");
    let many = outage(&[1, 2, 3, 4, 5]).operations((100..150).map(|n| wait(n * 100)));
    check(many, Violated, "took more than 1 s while the breaker was open");
}

#[test]
fn no_trip_no_demand_or_a_late_harness_is_inconclusive() {
    check(outage(&[1, 2, 3, 4]), Inconclusive, "no open times");
    let alone = outage(&[1, 2, 3, 4, 5]).judged_by(&BreakerOpens);
    assert_eq!(alone.kind, Inconclusive);
    check(outage(&[1, 2, 3, 4, 5, 6]).lag(5_000, 500), Inconclusive, "late in every open time");
    let cut_off = Exchange { end: End::Open, ..refused("ann", 5_000, 503) };
    check(outage(&[1, 2, 3, 4]).exchange(cut_off), Inconclusive, "no open times");
}

#[test]
fn a_breaker_of_its_own_for_each_route_is_judged_as_declared_and_else_named() {
    // Both open at their fifth failure, the one for links three seconds after the other.
    let links = |second: u64| Exchange {
        route: Route::ProfileLinks,
        ..refused("ann", second * 1_000, 503)
    };
    let shown = Exchange { route: Route::ProfileLinks, ..read("ann", 500) };
    let each = || {
        let both = outage(&[1, 2, 3, 4, 5, 36]).exchange(shown.clone());
        both.exchanges([4, 5, 6, 7, 8, 39].map(links))
    };
    check(each(), Violated, "it looks as if each route has a breaker of its own");
    let mut declared = each();
    declared.case.declared.breaker_scope = BreakerScope::Route;
    check(declared, Held, "4 open times, 2 of them");
    let mut leaks = each().exchange(links(20));
    leaks.case.declared.breaker_scope = BreakerScope::Route;
    check(leaks, Violated, "1 attempts got through");
    let both = each().exchange(links(20));
    let said = format!("{:?}", visited(both).judged_by(&BreakerOpens));
    assert!(!said.contains("a breaker of its own"), "{said}");
}
