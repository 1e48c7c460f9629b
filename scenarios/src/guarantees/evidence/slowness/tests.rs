//! Calls of which few or many are slow, and what may be measured of them.

use super::*;
use crate::plan::PhaseKind::Control;
use crate::testing::{History, given_up, links, read, refused};
use mock_server::history::exchange::Exchange;

/// The same exchange, answered only after so long.
fn slow(exchange: Exchange, took_ms: u64) -> Exchange {
    let end = exchange.t_head.plus(Duration::from_millis(took_ms));
    Exchange { t_first: Some(end), t_w: Some(end), t_end: end, ..exchange }
}

/// Fifty reads a minute for twelve minutes, few enough that none is held back, of which one in so many takes
/// so long.
fn history(one_in: u64, took_ms: u64) -> History {
    let one = move |n: u64| {
        let (at, handle) = (n * 1_200, format!("page-{n}"));
        let quick = if n.is_multiple_of(2) { read(&handle, at) } else { links(&handle, at) };
        if n % one_in == one_in / 2 { slow(quick, took_ms) } else { quick }
    };
    History::over(&[(Control, 0, 720)]).exchanges((0..600).map(one))
}

/// Limits and whether there is a tail, at this second, of a window of four minutes.
fn at(history: History, second: u64) -> (u64, u64, bool) {
    let mut history = history.declaring(|one| one.alert_delay_ms = 0);
    history.case.ready();
    let bound = Duration::from_millis(500);
    let slowness = Slowness::of(&history.case, Duration::from_secs(240), bound);
    let at = Moment::from_ms(second * 1_000);
    let sample = slowness.signal.iter().find(|one| one.at == at).unwrap();
    (sample.lo, sample.hi, slowness.has_tail(at))
}

#[test]
fn few_slow_calls_are_a_tail_and_many_are_the_percentile() {
    let (lo, hi, tail) = at(history(7, 1_500), 480);
    assert!(lo > 700 && hi == u64::MAX && tail, "{lo} {hi}");
    let (lo, hi, tail) = at(history(37, 1_500), 480);
    assert!(lo <= 250 && hi <= 250 && tail, "{lo} {hi}");
    let (lo, hi, tail) = at(history(601, 1_500), 480);
    assert!(lo == 0 && hi <= 250 && !tail, "{lo} {hi}");
}

#[test]
fn what_a_coarse_bucket_hides_is_not_known() {
    // Nothing tells 400 ms from the bound where the bucket ends beyond it.
    let (lo, hi, _) = at(history(5, 400), 480);
    assert!(lo < 500 && hi == u64::MAX, "{lo} {hi}");
    // Just above one in twenty it is at the bottom of its bucket.
    let (lo, _, _) = at(history(13, 800), 480);
    assert!(lo < 550, "{lo}");
    let (lo, _, _) = at(history(3, 800), 480);
    assert!(lo > 550, "{lo}");
}

#[test]
fn of_few_calls_anything_may_be_said_and_analytics_is_none_of_them() {
    assert_eq!(at(history(7, 1_500), 90).0, 0);
    assert_eq!(at(history(7, 1_500), 90).1, u64::MAX);
    let queries = (0..80).map(|n| {
        let query = Exchange { route: Route::Analytics, ..read("ann", n * 8_000) };
        slow(query, 5_000)
    });
    let (lo, hi, tail) = at(history(601, 9).exchanges(queries), 480);
    assert!(lo == 0 && hi <= 250 && !tail, "{lo} {hi}");
}

#[test]
fn a_route_of_its_own_may_be_slow_where_all_together_are_not() {
    // One in 37 of all, each of them a list of links.
    let lists = (0..600)
        .filter(|n| n % 37 == 18)
        .map(|n| slow(links(&format!("list-{n}"), n * 1_200 + 100), 1_500));
    let more = (0..600)
        .filter(|n| n % 37 == 9)
        .map(|n| slow(links(&format!("more-{n}"), n * 1_200 + 100), 1_500));
    let (lo, hi, _) = at(history(601, 9).exchanges(lists.chain(more)), 480);
    assert!(lo == 0 && hi == u64::MAX, "{lo} {hi}");
}

#[test]
fn who_measures_requests_has_waits_in_them_and_who_measures_answers_no_timeouts() {
    // Some reads are given up after 10 s, and the next attempt is quick.
    let again = (0..25u64).flat_map(|n| {
        let (at, handle) = (n * 25_000, format!("late-{n}"));
        [given_up(&handle, at, at + 10_000), read(&handle, at + 11_000)]
    });
    let both = history(601, 9).exchanges(again);
    let (lo, hi, tail) = at(both, 480);
    assert!(lo == 0 && hi == u64::MAX && tail, "{lo} {hi}");
    // Refusals of what was asked may be measured, or not.
    let denied = (0..80).map(|n| refused(&format!("no-{n}"), n * 8_000, 404));
    let (lo, hi, tail) = at(history(37, 1_500).exchanges(denied), 480);
    assert!(lo == 0 && hi <= 250 && tail, "{lo} {hi}");
}

#[test]
fn what_a_process_kept_in_memory_is_gone_with_it() {
    // Slow until 150 s, then quick.
    let one = |n: u64| {
        let quick = read(&format!("page-{n}"), n * 250);
        if n < 600 && n.is_multiple_of(3) { slow(quick, 1_500) } else { quick }
    };
    let all = || History::over(&[(Control, 0, 300)]).exchanges((0..1_200).map(one));
    let (lo, hi, _) = at(all().killed_until(150_000, 151_000), 200);
    assert!(lo <= 250 && hi == u64::MAX, "{lo} {hi}");
    let (lo, ..) = at(all(), 200);
    assert!(lo > 500, "{lo}");
}
