//! What counts as failed at the least and at the most, moment by moment.

use super::*;
use crate::plan::PhaseKind::Control;
use crate::testing::{History, page, read, refused};
use mock_server::history::exchange::Exchange;

/// Ten reads a second over 300 s, and after so many seconds a failure.
fn history(failures: &[(u64, &str)]) -> History {
    let reads = (0..3_000).map(|n| read("ann", n * 100));
    let failed = failures.iter().map(|(s, handle)| refused(handle, s * 1_000 + 50, 500));
    let exchanges: Vec<_> = reads.chain(failed).collect();
    History::over(&[(Control, 0, 300)]).exchanges(exchanges)
}

fn at(history: History, second: u64, window_s: u64) -> (u64, u64) {
    // Looked at each tenth of a second.
    let mut history = history.declaring(|one| one.alert_delay_ms = 0);
    history.case.ready();
    let signal = ErrorRate::of(&history.case).signal(Duration::from_secs(window_s));
    let at = Moment::from_ms(second * 1_000);
    let sample = signal.iter().find(|one| one.at == at).unwrap();
    (sample.lo, sample.hi)
}

#[test]
fn a_failure_counts_once_it_surely_ended_in_the_window_and_as_long_as_it_may_be_in_it() {
    let one = || history(&[(45, "al"), (50, "bob"), (60, "carl")]);
    // The first one of all may be missed by whoever takes rates of series that begin with it.
    assert_eq!(at(one(), 43, 20), (0, 0));
    assert_eq!(at(one(), 49, 20).0, 0);
    let (lo, hi) = at(one(), 65, 20);
    assert!(lo > 4_000 && hi > 9_000, "{lo} {hi}");
    assert_eq!(at(one(), 79, 20).0, 0);
    assert!(at(one(), 81, 20).1 > 0);
    assert_eq!(at(one(), 82, 20).1, 0);
}

#[test]
fn what_was_made_up_for_failed_as_an_attempt_and_not_as_a_request() {
    let again = history(&[(50, "bob")]).exchange(read("bob", 50_500));
    let (lo, hi) = at(again, 55, 20);
    assert!(lo == 0 && hi > 5_000, "{lo} {hi}");
    let twice = history(&[(50, "bob"), (58, "dora"), (59, "dora")]);
    let (lo, _) = at(twice, 65, 20);
    assert!((4_000..6_000).contains(&lo), "{lo}");
}

#[test]
fn of_few_calls_anything_may_be_said() {
    assert_eq!(at(history(&[(50, "bob")]), 55, 10), (0, WHOLE));
    assert_eq!(at(history(&[]), 5, 200), (0, WHOLE));
}

#[test]
fn refusals_of_its_own_may_count_as_failures_or_as_calls_and_a_refused_key_as_failure() {
    let six = [(50, "a"), (50, "b"), (50, "c"), (50, "d"), (50, "e"), (52, "f")];
    let mut rows = History::over(&[(Control, 0, 300)])
        .exchanges((0..400).map(|n| read("ann", n * 100)))
        .exchanges(six.map(|(s, handle)| refused(handle, s * 1_000, 500)));
    rows = rows.declaring(|one| one.alert_delay_ms = 0);
    rows.case.ready();
    let mut rate = ErrorRate::of(&rows.case);
    (0..100).for_each(|n| rate.visited(Some("bob"), Moment::from_ms(52_000 + n * 10)));
    let signal = rate.signal(Duration::from_secs(60));
    let sample = signal.iter().find(|one| one.at == Moment::from_ms(58_000)).unwrap();
    assert!((200_000..220_000).contains(&sample.hi), "{sample:?}");
    // One came after the first of its kind, among four hundred calls and a hundred that were refused.
    assert!((1_900..2_000).contains(&sample.lo), "{sample:?}");
    let key = History::over(&[(Control, 0, 300)])
        .exchanges((0..600).map(|n| read("ann", n * 100)))
        .exchange(refused("bob", 50_000, 401))
        .exchange(refused("bob", 51_000, 404))
        .operation(page("ann", 1, 2, "v"));
    let (lo, hi) = at(key, 55, 30);
    assert!(lo == 0 && hi > 3_000 && hi < 5_000, "{lo} {hi}");
}

#[test]
fn what_a_process_kept_in_memory_is_gone_with_it() {
    let handles = ["a", "b", "c", "d", "f", "g", "h", "i", "j", "k"];
    let lived = History::over(&[(Control, 0, 300)])
        .exchanges((0..3_000).map(|n| read("ann", n * 100)))
        .exchange(refused("eve", 20_000, 500))
        .exchanges(handles.map(|handle| refused(handle, 50_000, 500)));
    let (lo, hi) = at(lived.killed_until(60_000, 61_000), 80, 60);
    assert!(lo == 0 && hi > 10_000, "{lo} {hi}");
}

#[test]
fn as_many_calls_as_are_declared_are_enough() {
    // Sure are those of 31.1 s to 48.9 s: 178.
    let of = |least| history(&[]).declaring(|one| one.alert_min_calls = least);
    assert_eq!(at(of(178), 50, 20), (0, 0));
    assert_eq!(at(of(179), 50, 20), (0, WHOLE));
}

#[test]
fn shares_are_millionths() {
    let shares = [(0, 0, 0), (1, 0, WHOLE), (1, 2, WHOLE / 2), (3, 2, WHOLE)];
    for (of, all, expected) in shares {
        assert_eq!(share(of, all), expected, "{of} of {all}");
    }
}

#[test]
fn what_is_asked_for_again_after_all_pauses_is_another_request() {
    let known_ms = 50_055;
    let again = |later_ms: u64| {
        let history = history(&[(45, "al"), (50, "bob")]);
        let case = &history.case;
        let rested = longest_delay(case) + case.times.breaker_open_longest + case.harness.delta;
        let rested = u64::try_from(rested.as_millis()).unwrap();
        at(history.exchange(read("bob", known_ms + rested + later_ms)), 55, 20).0
    };
    assert_eq!(again(0), 0);
    assert!(again(1) > 4_000);
}

#[test]
fn a_failure_that_may_be_none_failed_for_no_good() {
    let doubtful = Exchange { doubtful: true, ..refused("bob", 50_050, 500) };
    assert_eq!(at(history(&[(45, "al")]).exchange(doubtful), 55, 20).0, 0);
}

#[test]
fn what_may_have_come_with_the_first_of_its_kind_is_not_counted() {
    let lo = |history| at(history, 56, 20).0;
    let after = |ms: u64| history(&[(50, "al")]).exchange(refused("bob", 50_050 + ms, 500));
    assert_eq!(lo(after(1_100)), 0);
    assert!(lo(after(1_101)) > 4_000);
    // The first attempt that failed was made up for, and the first request that failed is this one.
    let made_up_for = history(&[(45, "al"), (52, "bob")]).exchange(read("al", 45_500));
    assert_eq!(lo(made_up_for), 0);
    // The process that had seen one of its kind is gone.
    let lives = history(&[(45, "al"), (52, "bob")]);
    let lives = lives.killed_until(9_000, 10_000).killed_until(48_000, 49_000);
    assert_eq!(lo(lives), 0);
}

#[test]
fn a_visit_may_have_been_refused_where_its_page_was_not_fresh_then() {
    let refused = |reads: &[u64], at_ms| {
        let mut history = History::over(&[(Control, 0, 300)])
            .exchange(crate::testing::asked_to_wait("zed", 50_000, 429, 60))
            .exchanges(reads.iter().map(|ms| read("carl", *ms)).collect::<Vec<_>>());
        history.case.ready();
        let mut rate = ErrorRate::of(&history.case);
        rate.visited(Some("carl"), Moment::from_ms(at_ms));
        rate.refused.len()
    };
    assert_eq!(refused(&[], 60_000), 1);
    assert_eq!(refused(&[58_000], 60_000), 0);
    assert_eq!(refused(&[54_000], 60_000), 1);
    // It was only read later.
    assert_eq!(refused(&[62_000], 60_000), 1);
    assert_eq!(refused(&[], 40_000), 0);
}
