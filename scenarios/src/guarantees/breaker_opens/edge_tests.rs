//! Where certainty of a breaker begins and ends, to the millisecond: one step less holds.

use super::tests::{check, outage, visited};
use super::*;
use crate::plan::{BreakerScope, WindowKind};
use crate::testing::{History, broken_off, given_up, page, read, refused};
use crate::verdict::VerdictKind::*;
use mock_server::contract::Route;
use mock_server::history::exchange::{End, Exchange};

const FIVE: [u64; 5] = [1, 2, 3, 4, 5];

/// Whether what comes through is a violation.
#[track_caller]
fn violates(history: History, expected: bool) {
    let verdict = visited(history).judged_by(&BreakerOpens);
    assert_eq!(verdict.kind == Violated, expected, "{verdict:?}");
}

/// An answer that took until then.
fn known_at(ms: u64, exchange: Exchange) -> Exchange {
    let known = Moment::from_ms(ms);
    Exchange { t_first: Some(known), t_w: Some(known), t_end: known, ..exchange }
}

fn sliding(ms: u64, history: History) -> History {
    history.declaring(|one| {
        (one.breaker_window_ms, one.breaker_window_kind) = (Some(ms), WindowKind::Sliding);
    })
}

fn failing(history: History, all_ms: &[u64]) -> History {
    history.exchanges(all_ms.iter().map(|ms| refused("ann", *ms, 503)))
}

#[test]
fn a_result_on_its_way_at_the_trip_may_close_the_breaker_or_have_been_its_fifth() {
    let beside = |one: Exchange| outage(&[1, 2, 3, 4, 5, 6]).exchange(one);
    // In the moment of the trip nobody knows which of the two was heard first.
    violates(beside(known_at(5_005, read("carl", 5_001))), false);
    violates(beside(known_at(5_105, refused("carl", 4_990, 404))), false);
    violates(beside(known_at(5_106, refused("carl", 4_990, 404))), true);
}

#[test]
fn a_straggler_beside_a_failed_probe_may_open_the_breaker_before_it() {
    let probe = || outage(&FIVE).exchange(known_at(36_900, refused("ann", 36_000, 503)));
    let again = |history: History| failing(history, &[66_000]);
    violates(again(probe()), true);
    violates(again(probe().exchange(given_up("zoe", 4_900, 36_000))), true);
    violates(again(probe().exchange(given_up("zoe", 4_900, 36_001))), false);
}

#[test]
fn what_was_heard_just_after_a_pause_or_by_a_process_that_is_gone_is_not_certain() {
    let woken = |ms: u64| {
        let history = outage(&[]).paused(2_000, 4_000).exchange(read("ann", ms));
        failing(history, &[5_000, 6_000, 7_000, 8_000, 9_000, 10_000])
    };
    violates(woken(4_195), false);
    violates(woken(4_196), true);
    // The success was told to the process that had asked.
    let old = outage(&[]).killed_until(7_000, 8_000).exchange(known_at(8_950, read("zoe", 6_500)));
    violates(failing(old, &[8_100, 8_200, 8_300, 8_400, 9_500, 10_500]), true);
}

#[test]
fn while_connections_are_refused_no_breaker_opens_and_after_a_success_it_does() {
    let refusing = |from, until| outage(&[]).exchange(broken_off("refuse", from, until));
    let within = failing(refusing(2_000, 5_000), &[1_000, 1_200, 1_400, 1_600, 2_500]);
    check(within, Inconclusive, "0 open times");
    let after = refusing(2_000, 5_000).exchange(read("ann", 10_000));
    let six = [11_000, 12_000, 13_000, 14_000, 15_000, 16_000];
    check(failing(after, &six), Violated, "1 attempt got through");
}

#[test]
fn after_a_probe_that_succeeded_the_count_begins_anew() {
    let probed = |all_ms: &[u64]| failing(outage(&FIVE).exchange(read("ann", 36_000)), all_ms);
    violates(probed(&[37_000, 38_000, 39_000, 40_000, 41_000]), false);
    violates(probed(&[37_000, 38_000, 39_000, 40_000, 41_000, 42_000]), true);
    // Within δ of the success nobody knows which was heard first.
    violates(probed(&[36_050, 37_000, 38_000, 39_000, 40_000, 41_000]), false);
}

#[test]
fn a_half_open_breaker_that_lacks_a_success_opens_at_one_failure() {
    let with = |probes: u32| {
        let mixed = failing(outage(&FIVE).exchange(read("ann", 36_000)), &[37_000]);
        let row = [39_000, 40_000, 41_000, 42_000, 43_000, 69_000];
        let history = failing(mixed.exchange(read("ann", 38_000)), &row);
        history.declaring(|one| one.half_open_probes = probes)
    };
    violates(with(2), true);
    violates(with(3), false);
}

#[test]
fn a_window_longer_than_the_open_time_remembers_what_was_before_it() {
    let reopened = |window, first: [u64; 5], probe, second: [u64; 5], next: u64| {
        let opened = failing(outage(&[]), &first.map(|s| s * 1_000)).exchange(read("ann", probe));
        failing(sliding(window, opened), &second.map(|s| s * 1_000))
            .exchange(refused("ann", next, 503))
    };
    let short = |next| reopened(8_000, [11, 12, 13, 14, 15], 46_000, [55, 56, 57, 58, 59], next);
    violates(short(85_000), true);
    violates(short(89_000), false);
    let long =
        |next| reopened(40_000, [41, 42, 43, 44, 45], 76_000, [117, 118, 119, 120, 121], next);
    violates(long(146_000), true);
    violates(long(147_000), false);
    // A success within the window keeps a ratio low.
    violates(reopened(8_000, [11, 12, 13, 14, 15], 46_000, [47, 48, 49, 50, 51], 52_000), false);
}

#[test]
fn a_window_is_quiet_from_its_length_and_delta_after_a_success() {
    let last = |ms| sliding(8_000, failing(outage(&[4, 5, 6, 7]), &[ms]));
    check(last(8_100), Inconclusive, "0 open times");
    check(last(8_101), Inconclusive, "1 open times");
}

#[test]
fn a_failure_that_a_success_may_not_have_wiped_out_moves_the_probe() {
    let before = |ms| {
        let row = [2_000, 3_000, 4_000, 5_000, 6_000, 35_000];
        failing(failing(outage(&[]), &[ms]).exchange(read("ann", 1_000)), &row)
    };
    violates(before(900), true);
    violates(before(901), false);
}

#[test]
fn possible_failures_move_the_probe_within_a_window_and_after_the_last_success() {
    let unclear = |ms: u64| {
        let maybe = outage(&[14, 15, 16, 17, 18, 47]).exchange(refused("ann", ms, 429));
        sliding(8_000, maybe)
    };
    violates(unclear(8_899), true);
    violates(unclear(8_900), false);
    let wiped_out = |last: u64| {
        let maybe = [11_000, 12_000, 13_000, 14_000, last].map(|ms| refused("ann", ms, 429));
        let row = outage(&[21, 22, 23, 24, 25, 50]).exchange(read("ann", 16_000));
        sliding(8_000, row.exchanges(maybe))
    };
    violates(wiped_out(15_900), true);
    violates(wiped_out(15_901), false);
}

#[test]
fn a_failure_counts_that_was_sent_after_the_success_was_known() {
    let first = |ms| {
        let row = outage(&[3, 4, 5, 6]).exchange(read("ann", 2_000));
        row.exchange(known_at(2_300, refused("ann", ms, 503)))
    };
    check(first(2_005), Inconclusive, "0 open times");
    check(first(2_006), Inconclusive, "1 open times");
}

#[test]
fn breakers_of_three_routes_count_each_for_itself() {
    let of = |route, from: u64| {
        (0..3).map(move |n| Exchange { route, ..refused("ann", from + n * 1_000, 503) })
    };
    let history = outage(&[])
        .exchanges(of(Route::Profile, 1_000))
        .exchanges(of(Route::ProfileLinks, 1_300))
        .exchanges(of(Route::Clicks, 1_600));
    let by_route = history.declaring(|one| one.breaker_scope = BreakerScope::Route);
    check(by_route, Inconclusive, "0 open times");
}

#[test]
fn a_busy_target_has_heard_as_long_after_it_answers_again() {
    let busy = |ms| {
        let slow = page("carl", 5_100, 5_500, "-");
        failing(outage(&FIVE), &[ms]).operation(slow)
    };
    check(busy(5_700), Inconclusive, "late in every open time, or the target answered nobody");
    check(busy(5_701), Inconclusive, "one such attempt is a doubt");
    check(busy(5_900), Inconclusive, "one such attempt is a doubt");
    check(busy(5_901), Violated, "1 attempt got through");
}

#[test]
fn one_late_open_time_of_several_leaves_the_others_to_hold() {
    let late = outage(&[1, 2, 3, 4, 5, 6, 36]).lag(6_000, 500);
    check(late, Held, "got through in 1, 1 of these");
}

#[test]
fn an_open_time_that_nobody_visits_shows_nothing_unless_something_came_through() {
    let alone = |failures: &[u64], words: &str| {
        let text = format!("{:?}", outage(failures).judged_by(&BreakerOpens));
        assert!(text.contains(words), "{text}");
    };
    alone(&FIVE, "0 with demand");
    alone(&[1, 2, 3, 4, 5, 6], "1 with demand");
}

#[test]
fn where_visitors_come_one_by_one_the_near_side_must_be_seen_but_not_of_several_instances() {
    let of = |instances| {
        let phases = [
            (PhaseKind::RetryGaps, 0, 1),
            (PhaseKind::BreakerProbe, 1, 100),
            (PhaseKind::Control, 100, 200),
        ];
        let history = failing(History::over(&phases).exchange(read("ann", 0)), &[36_000]);
        let many = (1..=12).map(|n| refused("ann", n * 1_000, 503));
        let history = history.exchanges(many).declaring(|one| one.instances = instances);
        let verdict = visited(history).judged_by(&BreakerOpens);
        verdict.strength.iter().find(|one| one.name == LET_THROUGH.name).map(|one| one.least)
    };
    assert_eq!([of(1), of(2)], [Some(LET_THROUGH.least), Some(0)]);
}

#[test]
fn cut_answers_open_a_breaker_anywhere_and_other_failures_in_an_outage_alone() {
    let ends = |end| {
        let fails = move |n: u64| Exchange { end, ..read("ann", n * 1_000) };
        let calm = History::over(&[(PhaseKind::Control, 0, 200)]).exchange(read("ann", 0));
        calm.exchanges((1..=5).map(fails))
    };
    check(ends(End::Truncated), Held, "1 open times");
    check(ends(End::ServerReset), Inconclusive, "0 open times");
}

#[test]
fn what_comes_after_an_outage_is_no_part_of_its_budget() {
    let every: Vec<u64> = (1..100).collect();
    let mut blind = outage(&every).exchange(read("ann", 200_000));
    blind.judged().remove(0);
    check(blind, Violated, "7 attempts within one open time of a total outage");
}

#[test]
fn a_budget_ends_with_its_span_and_begins_anew_after_a_pause() {
    let two = |history: History| history.declaring(|one| one.instances = 2);
    let twelve: Vec<u64> = (1..=12).collect();
    let then = |ms| two(failing(outage(&twelve), &[ms]));
    violates(then(30_849), true);
    violates(then(30_850), false);
    let paused = outage(&twelve).paused(13_500, 14_000);
    violates(two(paused.exchanges((15..=26).map(|n| refused("ann", n * 1_000, 503)))), false);
}

#[test]
fn a_row_begins_a_window_after_the_success_and_words_say_what_nobody_knows() {
    let tumbling = |seconds: std::ops::RangeInclusive<u64>| {
        let sent = seconds.chain([50]).map(|second| refused("ann", second * 1_000, 503));
        outage(&[]).exchanges(sent).declaring(|one| {
            (one.breaker_window_ms, one.breaker_window_kind) = (Some(10_000), WindowKind::Tumbling);
        })
    };
    check(tumbling(10..=14), Held, "of a window that begins anew nobody knows when");
    let ten: Vec<u64> = (1..=10).chain([41]).collect();
    let two = outage(&ten).declaring(|one| one.instances = 2);
    check(two, Held, "of 2 instances nobody knows which one sent what");
    let one = format!("{:?}", visited(outage(&FIVE)).judged_by(&BreakerOpens));
    assert!(!one.contains("nobody knows"), "{one}");
}
