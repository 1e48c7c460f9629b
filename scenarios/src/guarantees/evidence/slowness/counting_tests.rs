//! What is a sample of which reading, what a window holds, and the percentiles of hand-made counts.

use super::*;
use crate::plan::PhaseKind::Control;
use crate::testing::{History, given_up, links, read, refused, sent_click};
use mock_server::history::exchange::Exchange;

const MS: fn(u64) -> Moment = Moment::from_ms;

#[test]
fn durations_are_counted_in_steps_of_which_the_first_and_the_last_take_all_beyond_them() {
    let steps = [
        (-1.0, 0),
        (0.0, 0),
        (0.0199, 0),
        (0.0201, 1),
        (1.001, 50),
        (2.541, 127),
        (99.0, 127),
        (f64::INFINITY, 127),
    ];
    for (seconds, expected) in steps {
        assert_eq!(step(seconds), expected, "{seconds} s");
    }
}

/// So many in each of these steps.
fn counts(all: &[(usize, u32)]) -> [u32; STEPS] {
    let mut counts = [0; STEPS];
    all.iter().for_each(|(step, count)| counts[*step] += count);
    counts
}

/// The least percentile of what is sure, with these besides that may be.
#[track_caller]
fn check_least(sure: &[(usize, u32)], maybe: &[(usize, u32)], bucket_ms: u64, expected: u64) {
    let all = sure.iter().map(|(_, count)| *count as usize).sum();
    let both: Vec<_> = sure.iter().chain(maybe).copied().collect();
    assert_eq!(
        least(all, &counts(sure), &counts(&both), bucket_ms),
        expected,
        "{sure:?} {maybe:?}"
    );
}

#[test]
fn the_least_is_as_far_up_a_bucket_as_its_share_with_all_that_is_fast() {
    check_least(&[], &[], 250, 0);
    // Six were fast and never left: the rank is 100 of 106, 94 of 100 in the bucket from 250 ms on.
    check_least(&[(50, 100)], &[], 250, 250 + 750 * 94 / 100);
    // In the bucket that ends there, nothing is told apart.
    check_least(&[(50, 100)], &[], 1_000, 1_000);
    check_least(&[(13, 50), (50, 50)], &[], 260, 260 + 740 * 44 / 50);
    // Twenty more that may be fast: the rank is 119 of 126.
    check_least(&[(50, 100)], &[(0, 20)], 250, 250 + 750 * 93 / 100);
    // One in nineteen, but two at the least.
    check_least(&[(50, 57)], &[], 250, 250 + 750 * 53 / 57);
    check_least(&[(50, 19)], &[], 250, 250 + 750 * 17 / 19);
    // Nineteen of twenty are just enough, eighteen are not.
    check_least(&[(5, 16), (50, 1)], &[], 250, 100);
    check_least(&[(5, 15), (50, 2)], &[], 250, 250 + 750 / 2);
    assert_eq!(least(1_000, &counts(&[]), &counts(&[]), 250), 2_560);
}

/// The most of what is sure, with these besides that may be.
#[track_caller]
fn check_most(sure: &[(usize, u32)], maybe: &[(usize, u32)], bucket_ms: u64, expected: u64) {
    let all = sure.iter().map(|(_, count)| *count as usize).sum();
    let more = maybe.iter().map(|(_, count)| *count as usize).sum();
    let both: Vec<_> = sure.iter().chain(maybe).copied().collect();
    let found = most((all, more), &counts(sure), &counts(&both), bucket_ms);
    assert_eq!(found, expected, "{sure:?} {maybe:?}");
}

#[test]
fn the_most_is_the_end_of_its_step_and_of_any_length_in_the_last_bucket() {
    check_most(&[(5, 100)], &[], 250, 120);
    check_most(&[(5, 96), (50, 4)], &[], 250, 120);
    check_most(&[(5, 95), (50, 5)], &[], 250, u64::MAX);
    // What may be slow counts as slow, until it is known to be fast.
    check_most(&[(5, 100)], &[(50, 4)], 250, 120);
    check_most(&[(5, 100)], &[(50, 5)], 250, u64::MAX);
    check_most(&[(5, 100)], &[(3, 5)], 250, 120);
    check_most(&[(3, 10), (5, 90)], &[(3, 5)], 250, 120);
    check_most(&[(11, 100)], &[], 240, 240);
    check_most(&[(11, 100)], &[], 239, u64::MAX);
    check_most(&[(127, 100)], &[], 2_560, 2_560);
    // Of ten the rank may be beyond the last.
    check_most(&[(5, 10)], &[], 5_000, u64::MAX);
    check_most(&[], &[], 250, 20);
}

/// A sample of the first reading and of the last.
fn sample(at_ms: u64, surely: bool) -> Timed {
    Timed { at: MS(at_ms), readings: (1 << (READINGS - 1)) | 1, low: 3, high: 5, surely }
}

#[test]
fn a_window_holds_what_ended_after_its_beginning_and_up_to_its_end() {
    let timed = [10, 20, 30, 40].map(|at| sample(at, at != 30));
    let mut window = Window::new();
    let mut held = |from, until, counts: fn(&Timed) -> bool| {
        window.move_to(&timed, MS(from), MS(until), counts);
        let counts = &window.counts;
        for all in [counts.all[0], counts.all[READINGS - 1]] {
            assert_eq!(counts.all(), all);
        }
        assert_eq!((counts.all[1], counts.low[0][4], counts.high[0][3]), (0, 0, 0));
        assert_eq!(
            (counts.low[0][3] as usize, counts.high[0][5] as usize),
            (all(counts), all(counts))
        );
        counts.all()
    };
    // One whose beginning comes after its end holds nothing.
    assert_eq!(held(25, 5, |_| true), 0);
    assert_eq!(held(25, 9, |_| true), 0);
    let mut window = Window::new();
    let mut held = |from, until| {
        window.move_to(&timed, MS(from), MS(until), |one| one.surely);
        window.counts.all()
    };
    assert_eq!(
        [held(5, 19), held(5, 20), held(10, 20), held(10, 40), held(40, 50)],
        [1, 2, 1, 2, 0]
    );
}

fn all(counts: &Counts) -> usize {
    counts.all[0]
}

#[test]
fn how_many_were_slower_than_a_step_is_counted_with_those_in_it() {
    let mut window = Window::new();
    window.move_to(&[sample(10, true), sample(20, true)], MS(0), MS(30), |_| true);
    assert_eq!([2, 3, 4].map(|step| window.counts.slower(step)), [2, 2, 0]);
}

/// Which readings an attempt is a sample of, its steps, and whether it is one of all of them.
#[track_caller]
fn check_attempt(history: History, expected: (u16, u8, u8, bool)) {
    let mut history = history;
    history.case.ready();
    let (timed, _) = attempt(&history.case, &history.case.linktree.exchanges[0]);
    let found = (timed.readings, timed.low, timed.high, timed.surely);
    assert_eq!(found, expected, "{:#b}", timed.readings);
}

fn history(exchange: Exchange) -> History {
    History::over(&[(Control, 0, 100)]).exchange(exchange)
}

/// A read that took 1,010 ms from its first byte to its answer's last, 800 ms of them until its head came.
fn long(exchange: Exchange) -> Exchange {
    let at = exchange.t_head;
    let after = |ms| at.plus(Duration::from_millis(ms));
    Exchange {
        t_req: after(10),
        t_first: Some(after(810)),
        t_w: Some(after(1_010)),
        t_end: after(1_010),
        ..exchange
    }
}

#[test]
fn an_attempt_is_a_sample_of_its_routes_and_of_what_became_of_it() {
    // From 700 ms, δ less than it took until its head was here, to 1,210 ms.
    let answered = |scopes: u16| ((scopes << 8) | (scopes << 4) | scopes, 35, 60, true);
    check_attempt(history(long(read("ann", 10_000))), answered(0b0111));
    check_attempt(history(long(links("ann", 10_000))), answered(0b1011));
    check_attempt(history(long(sent_click("c", 10_000, 202))), answered(0b0001));
    let status = |status| history(long(refused("ann", 10_000, status)));
    check_attempt(status(503), (0b0111_0111, 35, 60, true));
    check_attempt(status(500), (0b0111_0111, 35, 60, true));
    check_attempt(status(400), (0b0111_0111, 35, 60, false));
    check_attempt(status(499), (0b0111_0111, 35, 60, false));
    check_attempt(status(399), (0b0111_0111, 35, 60, true));
    // What had no whole answer was an attempt all the same.
    let cut = Exchange { end: End::Truncated, ..long(read("ann", 10_000)) };
    check_attempt(history(cut), (0b0111, 35, 60, true));
    check_attempt(history(given_up("ann", 10_000, 11_010)), (0b0111, 45, 60, true));
}

#[test]
fn who_stood_still_may_have_measured_anything_more_and_who_died_nothing() {
    let all = 0b0111_0111_0111;
    let one = || history(long(read("ann", 10_000)));
    check_attempt(one().lag(10_500, 300), (all, 20, 75, true));
    for (from, until) in [(9_800, 9_899), (11_111, 11_200)] {
        check_attempt(one().paused(from, until), (all, 35, 60, true));
    }
    for (from, until) in [(9_800, 9_900), (11_110, 11_200), (10_500, 10_600)] {
        check_attempt(one().paused(from, until), (all, 35, 127, false));
    }
    let open = Exchange { end: End::Open, ..long(read("ann", 10_000)) };
    check_attempt(history(open), (0b0111, 35, 127, false));
}

/// Requests with all their attempts: when each ended, in milliseconds, its steps, and whether it is sure.
#[track_caller]
fn check_requests(exchanges: Vec<Exchange>, expected: &[(u64, u8, u8, bool)]) {
    let mut history = History::over(&[(Control, 0, 100)]).exchanges(exchanges);
    history.case.ready();
    let requests: Vec<_> = timed(&history.case)
        .into_iter()
        .filter(|one| one.readings & REQUESTS != 0)
        .map(|one| {
            assert_eq!(one.readings, 0b0111 << 12);
            (one.at.0 / 1_000_000, one.low, one.high, one.surely)
        })
        .collect();
    assert_eq!(requests, expected);
}

#[test]
fn a_request_lasts_from_its_first_attempt_to_its_last_and_as_long_as_its_longest() {
    check_requests(vec![read("ann", 1_000)], &[(1_005, 0, 10, true)]);
    // Half a second later, 205 ms more.
    let again = vec![refused("ann", 1_000, 503), read("ann", 1_500)];
    check_requests(again, &[(1_505, 0, 35, true)]);
    let thrice = vec![refused("ann", 1_000, 503), refused("ann", 1_500, 503), read("ann", 2_000)];
    check_requests(thrice, &[(2_005, 0, 60, true)]);
    let slow = vec![given_up("ann", 1_000, 2_110), refused("ann", 2_200, 503), read("ann", 2_300)];
    check_requests(slow, &[(2_305, 50, 75, true)]);
    // What begins after a success is another one, and who gave up may have meant to go on.
    let two = vec![read("ann", 1_000), refused("ann", 1_500, 503)];
    check_requests(two, &[(1_005, 0, 10, true), (1_505, 0, 10, false)]);
    let analytics = Exchange { route: Route::Analytics, ..read("ann", 1_000) };
    check_requests(vec![analytics], &[]);
}

#[test]
fn samples_are_in_order_of_their_ends_and_of_two_at_once_the_attempt_is_first() {
    let mut history = History::over(&[(Control, 0, 100)])
        .exchanges([given_up("ann", 1_000, 5_000), read("bob", 2_000)]);
    history.case.ready();
    let found: Vec<_> = timed(&history.case)
        .into_iter()
        .map(|one| (one.at.0 / 1_000_000, one.readings & REQUESTS != 0))
        .collect();
    assert_eq!(found, [(2_005, false), (2_005, true), (5_000, false), (5_000, true)]);
}

/// A read each 1.2 s for ten minutes, of which these are slow.
fn reads(slow: &[u64]) -> History {
    let call = |n: u64| {
        let quick = read(&format!("page-{n}"), n * 1_200);
        let took = if slow.contains(&n) { 1_500 } else { 5 };
        let end = quick.t_head.plus(Duration::from_millis(took));
        Exchange { t_first: Some(end), t_w: Some(end), t_end: end, ..quick }
    };
    let history = History::over(&[(Control, 0, 600)]).declaring(|one| one.alert_delay_ms = 0);
    let mut history = history.exchanges((0..500).map(call));
    history.case.ready();
    history
}

fn slowness(history: &History, window_ms: u64) -> Slowness {
    let bound = Duration::from_millis(500);
    Slowness::of(&history.case, Duration::from_millis(window_ms), bound)
}

#[test]
fn a_tail_is_more_than_one_in_a_hundred() {
    // 237.8 s and the edges hold two hundred calls.
    let has_tail = |slow: &[u64]| slowness(&reads(slow), 237_800).has_tail(MS(400_000));
    assert!(has_tail(&[250, 260, 270]));
    assert!(!has_tail(&[250, 260]));
    // Not surely in it.
    assert!(!has_tail(&[250, 260, 332]));
}

#[test]
fn who_waited_for_its_own_limiter_may_have_measured_anything_as_long_as_that_is_in_the_window() {
    let burst = (0..12).map(|n| read(&format!("more-{n}"), 100_000));
    let mut history = reads(&[]).exchanges(burst);
    history.case.ready();
    let slowness = slowness(&history, 240_000);
    let hi = |ms| slowness.signal.iter().find(|one| one.at == MS(ms)).unwrap().hi;
    // The limiter was nearly full until 160 s.
    assert_eq!(hi(401_100), u64::MAX);
    assert!(hi(401_200) <= 250, "{}", hi(401_200));
}

#[test]
fn of_as_many_calls_as_are_declared_something_is_known_and_of_a_route_of_a_quarter_of_them() {
    let known = |least| {
        let history = reads(&[]).declaring(|one| one.alert_min_calls = least);
        let slowness = slowness(&history, 240_000);
        slowness.signal.iter().find(|one| one.at == MS(400_000)).unwrap().hi != u64::MAX
    };
    // 237.8 s hold 198 calls for sure.
    assert!(known(198));
    assert!(!known(199));
    // Lists of links, of which one in eight is slow.
    let with_lists = |count: u64| {
        let list = |n: u64| {
            let quick = links(&format!("list-{n}"), 165_000 + n * 9_000);
            let end = quick.t_head.plus(Duration::from_millis(if n.is_multiple_of(8) {
                1_500
            } else {
                5
            }));
            Exchange { t_first: Some(end), t_w: Some(end), t_end: end, ..quick }
        };
        let mut history = reads(&[]).exchanges((0..count).map(list));
        history.case.ready();
        let slowness = slowness(&history, 240_000);
        slowness.signal.iter().find(|one| one.at == MS(400_000)).unwrap().hi
    };
    assert!(with_lists(24) <= 250);
    assert_eq!(with_lists(25), u64::MAX);
}
