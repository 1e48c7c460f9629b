//! Tiny histories of breakers, sound and broken, for `breaker-opens`.

use super::*;
use crate::testing::{Decides, History, broken_off, given_up, page, read, refused};
use crate::verdict::VerdictKind::{self, *};
use mock_server::history::exchange::{End, Exchange};

/// A success at 0 s, then an outage from 1 s on, with these failures in seconds.
pub fn outage(failures: &[u64]) -> History {
    let fail = |second: &u64| refused("ann", second * 1_000, 503);
    History::over(&[(PhaseKind::Control, 0, 1), (PhaseKind::BreakerProbe, 1, 200)])
        .exchange(read("ann", 0))
        .exchanges(failures.iter().map(fail))
}

/// A visitor every second from 1 s to 200 s, each answered within 10 ms.
pub fn visited(history: History) -> History {
    history.operations((1..200).map(|n| page("bob", n * 1_000, n * 1_000 + 10, "-")))
}

#[track_caller]
pub fn check(history: History, expected: VerdictKind, word: &str) {
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
    check(after, Violated, "1 attempt got through the breaker");
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
    check(outage(&[1, 2, 3, 4, 5, 6]), Violated, "1 attempt got through the breaker");
    check(outage(&[1, 2, 3, 4, 5, 20]), Violated, "the first 14.955 s before");
}

/// Both were sent before the fifth failure was heard of, and were long on their way.
#[test]
fn a_single_attempt_that_is_hardly_too_late_is_a_doubt_and_two_are_a_violation() {
    // The fifth is known at 5.005 s, and δ is 100 ms.
    let late = |at: &[u64]| {
        let late = at.iter().map(|at| refused("bob", *at, 503));
        outage(&[1, 2, 3, 4, 5, 36]).exchanges(late)
    };
    check(late(&[5_205]), Held, "in doubt: 0");
    check(late(&[5_206]), Inconclusive, "201 ms after the failures that must open it, at 5.206 s");
    check(late(&[5_405]), Inconclusive, "one such attempt is a doubt, two are a violation");
    check(late(&[5_406]), Violated, "1 attempt got through");
    check(late(&[5_206, 5_207]), Violated, "2 attempts got through");
    // One in each of two open times are two.
    let again = outage(&[1, 2, 3, 4, 5, 36]).exchange(refused("bob", 5_206, 503));
    check(again.exchange(refused("bob", 36_206, 503)), Violated, "got through");
}

/// Whoever lets probes through knows since long that Linktree is down.
#[test]
fn a_probe_too_many_is_no_doubt_however_soon_it_comes() {
    let twice = outage(&[1, 2, 3, 4, 5, 36]).exchange(refused("bob", 36_001, 503));
    check(twice, Violated, "1 attempt got through the breaker after its probes");
}

#[test]
fn never_opening_violates_even_when_no_row_is_certain() {
    let every: Vec<u64> = (1..100).collect();
    check(outage(&every), Violated, "got through");
    let mut blind = outage(&every);
    blind.judged().remove(0);
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
    check(probe().exchange(slow(67_100)), Violated, "1 attempt got through the breaker after its");
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
fn who_hangs_up_early_has_not_succeeded_and_may_be_counted() {
    // Its call began long before its request arrived, between or just after those that open the breaker.
    let early = |at: u64, until: u64| given_up("zoe", at, until);
    let dropped = |at, until| outage(&[1, 2, 3, 4, 5, 36]).exchange(early(at, until));
    for (at, until) in [(3_100, 3_900), (4_900, 5_050)] {
        check(dropped(at, until), Held, "2 open times");
        check(dropped(at, until).exchange(refused("bob", 20_000, 503)), Violated, "got through");
    }
    // It may have been the fifth: then the next probe is due earlier.
    let probe =
        |at| outage(&[1, 2, 3, 4, 6]).exchanges([early(3_100, 3_900), refused("bob", at, 503)]);
    check(probe(34_000), Held, "2 open times");
    check(probe(33_800), Violated, "got through");
    // A probe that is dropped shows nothing of what comes after it.
    let after =
        outage(&[1, 2, 3, 4, 5]).exchanges([early(36_000, 36_500), refused("bob", 37_000, 503)]);
    check(after, Inconclusive, "1 open times");
}

#[test]
fn what_was_sent_in_the_moment_of_the_last_success_may_have_been_counted_before_it() {
    // The success is known at 5 ms.
    let slow = |at| Exchange { t_w: Some(Moment::from_ms(900)), ..refused("zoe", at, 503) };
    let seen = |at| visited(outage(&[1, 2, 3, 4]).exchange(slow(at))).judged_by(&BreakerOpens).seen;
    assert_eq!([seen(5), seen(6)], [0, 1]);
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

/// After five failures the breaker is open for certain from 5.205 s to 34.955 s; of these page views so
/// many are slow, and so many are looked at.
#[track_caller]
fn looked_at(history: History, views: &[(&'static str, u64, u64)], expected: (u64, &str)) {
    let views = views.iter().map(|(handle, from, until)| page(handle, *from, *until, "-"));
    let verdict = history.operations(views).judged_by(&BreakerOpens);
    let slow = verdict.measures.iter().find(|one| one.name.contains("slow page views"));
    let (slow, text) = (slow.map_or(0, |slow| slow.observed), format!("{verdict:?}"));
    let all = format!(" {} page views in all", expected.1);
    assert!(slow == expected.0 && text.contains(&all), "{text}");
}

#[test]
fn page_views_are_looked_at_from_the_first_to_the_last_moment_of_an_open_time() {
    let open = || outage(&[1, 2, 3, 4, 5]);
    looked_at(open(), &[("bob", 5_205, 5_300), ("bob", 33_855, 33_900)], (0, "0"));
    looked_at(open(), &[("bob", 5_206, 5_300), ("bob", 33_854, 33_900)], (0, "2"));
    looked_at(open(), &[("bob", 6_000, 7_100), ("bob", 8_000, 9_101)], (1, "2"));
    looked_at(open().lag(6_500, 500), &[("bob", 6_000, 7_200)], (0, "0"));
}

#[test]
fn who_joins_a_call_that_may_still_be_tried_again_may_wait() {
    let open = || outage(&[1, 2, 3, 4, 5]);
    // Twice the longest delay, 8 s, and δ after the last failure of this page.
    looked_at(open(), &[("ann", 6_000, 9_000), ("ann", 21_105, 24_000)], (0, "0"));
    looked_at(open(), &[("ann", 21_106, 24_000)], (1, "1"));
    let called = || open().exchange(refused("bob", 10_000, 503));
    looked_at(called(), &[("bob", 10_000, 12_000)], (0, "0"));
    looked_at(called(), &[("bob", 9_999, 12_000)], (1, "1"));
}

#[test]
fn a_quarter_of_the_page_views_may_be_slow_and_one_always() {
    let slow = |all: u64, slow: u64| {
        let view = |n: u64| {
            page("bob", 6_000 + n * 500, 6_010 + n * 500 + 2_000 * u64::from(n < slow), "-")
        };
        outage(&[1, 2, 3, 4, 5, 36]).operations((0..all).map(view)).judged_by(&BreakerOpens)
    };
    assert_eq!([slow(8, 2), slow(1, 1), slow(3, 1)].map(|one| one.witnesses.len()), [0; 3]);
    assert_eq!([slow(8, 3), slow(3, 2)].map(|one| one.witnesses.len()), [1; 2]);
}

#[test]
fn every_attempt_that_came_through_is_counted_and_what_was_late_is_told() {
    let verdict = visited(outage(&[1, 2, 3, 4, 5, 6, 7, 36])).judged_by(&BreakerOpens);
    let through = verdict.measures.iter().find(|one| one.name.contains("through an open breaker"));
    assert_eq!(through.unwrap().observed, 2, "{verdict:?}");
    let late = || outage(&[1, 2, 3, 4, 5, 6, 36, 37]).lag(6_000, 500);
    check(late(), Violated, "attempts got through in 2, 1 of these while the harness was late");
    let first = || outage(&[1, 2, 3, 4, 5, 6]).lag(5_000, 150);
    check(first(), Inconclusive, "late in every open time");
}

#[test]
fn what_comes_just_within_an_open_time_is_too_much_and_just_outside_is_not() {
    let after = |ms: u64| outage(&[1, 2, 3, 4, 5]).exchange(refused("ann", ms, 503));
    check(after(5_205), Inconclusive, "open times after a probe that met an error");
    check(after(5_206), Inconclusive, "one such attempt is a doubt");
    check(after(5_406), Violated, "1 attempt got through");
    check(after(34_954), Violated, "1 attempt got through");
    check(after(34_955), Held, "2 open times, 1 of them");
}

#[test]
fn a_failure_counts_from_delta_after_a_success_on() {
    let row = |first: u64| {
        let history = outage(&[3, 4, 5, 6]).exchange(read("ann", 2_000));
        history.exchange(refused("ann", first, 503))
    };
    check(row(2_100), Inconclusive, "no open times");
    check(row(2_101), Inconclusive, "open times after a probe that met an error");
}

#[test]
fn a_budget_is_for_less_than_an_open_time_by_what_is_tolerance() {
    let blind = |last: u64| {
        let mut history = outage(&[1, 2, 3, 4, 5, 6]).exchange(refused("ann", last, 503));
        history.judged().remove(0);
        history
    };
    check(blind(30_849), Violated, "7 attempts within one open time of a total outage");
    check(blind(30_850), Inconclusive, "no open times");
    check(blind(30_849).lag(20_000, 500), Inconclusive, "no open times");
    check(blind(30_849).paused(20_000, 20_100), Inconclusive, "no open times");
}
