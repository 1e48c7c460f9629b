//! Other lawful policies are judged as declared, and named where nobody declared them.

use super::tests::{check, outage, visited};
use super::*;
use crate::plan::{BreakerCounting, BreakerScope, WindowKind};
use crate::testing::{History, read, refused};
use crate::verdict::VerdictKind::*;
use mock_server::contract::Route;
use mock_server::history::exchange::Exchange;

/// Each of these pages fails so often, once a second from this second on.
fn calls(history: History, from: u64, pages: &[&str], attempts: u64) -> History {
    let each = pages.iter().enumerate().flat_map(|(nth, page)| {
        let at = move |n| from + nth as u64 * attempts + n;
        (0..attempts).map(move |n| refused(page, at(n) * 1_000, 503))
    });
    history.exchanges(each)
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
    let route = |history: History| history.declaring(|one| one.breaker_scope = BreakerScope::Route);
    check(each(), Violated, "it looks as if each route has a breaker of its own");
    check(route(each()), Held, "4 open times, 2 of them");
    check(route(each().exchange(links(20))), Violated, "1 attempt got through");
    let both = each().exchange(links(20));
    let said = format!("{:?}", visited(both).judged_by(&BreakerOpens));
    assert!(!said.contains("a breaker of its own"), "{said}");
}

#[test]
fn calls_that_are_counted_with_all_their_attempts_are_judged_as_declared_and_else_named() {
    let five = ["ann", "bob", "carl", "dora", "emil"];
    let opened = || calls(outage(&[]), 1, &five, 5);
    let by_call =
        |history: History| history.declaring(|one| one.breaker_counting = BreakerCounting::Call);
    // The fifth failure may have been the fifth call's: a probe may come from 35 s on, in five attempts.
    let held = || calls(opened(), 36, &["fred"], 5);
    check(held(), Violated, "it looks as if the breaker counts calls");
    check(by_call(held()), Held, "2 open times, 1 of them");
    check(by_call(opened().exchange(refused("fred", 26_000, 503))), Violated, "got through");
    let sixth = calls(opened(), 36, &["fred", "gil"], 5);
    check(by_call(sixth), Violated, "after its probes");
    check(by_call(calls(outage(&[]), 1, &five[..4], 5)), Inconclusive, "no open times");
    // Deliveries may be tried more often, so that no row of theirs is a call for certain.
    let clicks = |n: u64| Exchange { route: Route::Clicks, ..refused("ann", n * 1_000, 503) };
    check(by_call(outage(&[]).exchanges((1..=26).map(clicks))), Inconclusive, "no open times");
}

#[test]
fn a_window_is_quiet_once_the_last_success_has_left_it() {
    // Known at 5 ms, and out of a window of 5 s by 5,105 ms.
    let last = |at| {
        let row = outage(&[2, 3, 4, 5]).exchange(refused("zoe", at, 503));
        let row = row.declaring(|one| one.breaker_window_ms = Some(5_000));
        visited(row).judged_by(&BreakerOpens).seen
    };
    assert_eq!([last(5_100), last(5_101)], [0, 1]);
}

#[test]
fn a_call_beside_may_go_on_after_the_trip() {
    // Five calls are over, and of a sixth two attempts were sent before the last of them failed.
    let beside = |ms: u64| refused("gil", ms, 503);
    let opened = calls(outage(&[]), 1, &["ann", "bob", "carl", "dora", "emil"], 5);
    let opened = opened.exchanges([23_500, 24_500, 26_000].map(beside));
    let by_call = opened.declaring(|one| one.breaker_counting = BreakerCounting::Call);
    check(by_call, Inconclusive, "no open times");
}

#[test]
fn two_instances_have_a_budget_and_are_named_where_nobody_declared_them() {
    let ten: Vec<u64> = (1..=10).collect();
    let two = |history: History| history.declaring(|one| one.instances = 2);
    let probed = || outage(&ten).exchanges([41, 42].map(|n| refused("ann", n * 1_000, 503)));
    check(probed(), Violated, "two processes have a breaker each");
    check(two(probed()), Held, "2 open times, 1 of them");
    let many: Vec<u64> = (1..=20).collect();
    check(two(outage(&many)), Violated, "got through");
    check(two(outage(&[1, 2, 3, 4])), Inconclusive, "no open times");
    let spread: Vec<u64> = (1..=12).map(|n| n * 2).collect();
    check(two(outage(&spread)), Inconclusive, "open times after a probe that met an error");
    let killed = outage(&ten).killed_until(11_500, 12_000);
    let again = killed.exchanges((13..=22).map(|n| refused("ann", n * 1_000, 503)));
    check(two(again.exchange(refused("ann", 60_000, 503))), Held, "3 open times");
}

#[test]
fn two_processes_are_named_where_nearly_as_many_failed_as_open_both() {
    let named = |failures: u64| {
        let row: Vec<u64> = (1..=failures).collect();
        let verdict = visited(outage(&row)).judged_by(&BreakerOpens);
        (verdict.kind, format!("{verdict:?}").contains("two processes have a breaker each"))
    };
    assert_eq!([8, 9].map(named), [(Violated, false), (Violated, true)]);
}

#[test]
fn failures_further_apart_than_the_window_do_not_add_up() {
    let window = |ms, kind, history: History| {
        history.declaring(|one| (one.breaker_window_ms, one.breaker_window_kind) = (Some(ms), kind))
    };
    let sliding = |ms, history| window(ms, WindowKind::Sliding, history);
    let late = |seconds: &[u64]| {
        let seconds: Vec<u64> = seconds.iter().map(|second| second + 10).collect();
        outage(&seconds)
    };
    check(sliding(8_000, late(&[1, 2, 3, 4, 5, 36])), Held, "2 open times");
    check(sliding(8_000, late(&[1, 2, 3, 4, 5, 6])), Violated, "nine tenths of a window of 8 s");
    check(sliding(4_000, late(&[1, 2, 3, 4, 5, 6])), Inconclusive, "no open times");
    // A success within the window may keep it closed; a ratio breaker opens later.
    check(sliding(20_000, late(&[1, 2, 3, 4, 5, 6])), Inconclusive, "no open times");
}

#[test]
fn a_window_that_begins_anew_between_two_failures_has_a_budget() {
    let tumbling = |seconds: std::ops::RangeInclusive<u64>| {
        let sent = seconds.chain([50]).map(|second| refused("ann", second * 1_000, 503));
        let history = outage(&[]).exchanges(sent);
        history.declaring(|one| {
            (one.breaker_window_ms, one.breaker_window_kind) = (Some(10_000), WindowKind::Tumbling);
        })
    };
    // After four of them, or even twice within an open time.
    check(tumbling(11..=19), Held, "2 open times, 1 of them");
    check(tumbling(11..=14), Inconclusive, "no open times");
    let more = tumbling(11..=40).exchange(refused("ann", 20_500, 503));
    check(more, Violated, "got through");
    // What failed within a window of the success may be outweighed by it.
    check(tumbling(2..=9), Inconclusive, "no open times");
}

#[test]
fn a_window_that_failures_cannot_fit_into_is_told_at_once() {
    let told = |ms| {
        let history = outage(&[]).declaring(|one| one.breaker_window_ms = Some(ms));
        BreakerOpens.undecidable(&history.case)
    };
    assert_eq!(told(1_000), None);
    assert!(told(600).unwrap().contains("`breaker_window_ms` of [declared]"));
}
