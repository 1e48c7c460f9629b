//! What holds a campaign back, for how long, and what room others leave to it.

use super::*;
use crate::guarantees::bulk_batched::launches::Answer;
use crate::testing::{History, asked_to_wait, broken_off, read, refused, rotated, wrote};
use mock_server::history::exchange::Exchange;

const S: fn(u64) -> Moment = |seconds| Moment::from_ms(seconds * 1_000);

/// For how many milliseconds of the first hundred seconds something held writes back.
#[track_caller]
fn check(history: History, expected_ms: u64) {
    check_between(history, (0, 100), expected_ms);
}

#[track_caller]
fn check_between(mut history: History, (from_s, until_s): (u64, u64), expected_ms: u64) {
    history.case.ready();
    let due = Due::of(&history.case, &Writes::of(&history.case));
    let excused = due.excused(S(from_s), S(until_s));
    assert_eq!(excused, Duration::from_millis(expected_ms), "{:?}", due.held_back);
    // Until when a launch is due, and how long what was written then took, follow from it.
    let launch = launched(&[], from_s * 1_000);
    let allowed = within(&history.case) + history.case.harness.delta;
    assert_eq!(due.of_launch(&launch, S(until_s)), S(from_s).plus(allowed + excused));
    assert_eq!(due.took(&launch, S(until_s)), S(until_s).since(S(from_s)) - excused);
}

fn launched(links: &[(&str, &str)], last_ms: u64) -> Launch {
    let owned = |(id, payload): &(&str, &str)| ((*id).to_owned(), (*payload).to_owned());
    Launch {
        handle: "ann".into(),
        sent: Moment::from_ms(last_ms.saturating_sub(5)),
        last: Moment::from_ms(last_ms),
        answer: Answer::Acknowledged,
        links: links.iter().map(owned).collect(),
    }
}

fn history() -> History {
    History::over(&[(crate::plan::PhaseKind::Storm, 0, 200)])
}

/// A call of which one link failed.
fn failing(at_ms: u64) -> Exchange {
    wrote(&[("l1", "a")], at_ms, 503)
}

#[test]
fn nothing_holds_back_where_nothing_happens() {
    check(history(), 0);
    check(history().exchanges([read("ann", 10_000), wrote(&[("l1", "a")], 20_000, 200)]), 0);
}

#[test]
fn what_may_have_opened_a_breaker_holds_back_as_long_as_it_stays_open() {
    check(history().killed_until(10_000, 20_000), 10_000);
    check(history().paused(10_000, 20_000), 40_000);
    check(
        history().declaring(|of| of.key_pickup_ms = 5_000).happened(rotated(1, 10_000, 0)),
        35_000,
    );
    check(history().happened(rotated(1, 10_000, 60_000)), 0);
    check(history().exchange(broken_off("refuse", 10_000, 20_000)), 40_000);
    check(history().exchange(refused("ann", 10_000, 503)), 30_005);
    check(history().exchange(refused("ann", 10_000, 404)), 0);
}

#[test]
fn who_was_told_to_wait_waits_and_a_harness_that_stood_still_holds_back() {
    check(history().exchange(asked_to_wait("ann", 10_000, 404, 5)), 5_005);
    check(history().lag(10_000, 500), 700);
}

#[test]
fn after_a_call_that_failed_comes_the_longest_pause_that_is_usual() {
    // That before the fourth retry, 8 s.
    check(history().exchange(failing(10_000)), 8_005);
    // The same where it failed whole: what it may have opened counts for calls of others.
    let whole = || Exchange { status: Some(503), ..failing(10_000) };
    check(history().exchange(whole()), 8_005);
    check(history().exchange(whole()).exchange(refused("ann", 10_000, 503)), 30_005);
    let slower = history().declaring(|of| of.click_backoff_base_ms = Some(20_000));
    check(slower.exchange(failing(10_000)), 20_005);
    // Two failures open such a breaker, and the second may be anybody's.
    let touchy = |failures| history().declaring(|of| of.breaker_failures = failures);
    check(touchy(3).exchange(failing(10_000)), 8_005);
    check(touchy(2).exchange(failing(10_000)), 30_005);
    let longer = touchy(2).declaring(|of| of.breaker_open_ms = 3_000);
    check(longer.exchange(failing(10_000)), 8_005);
}

#[test]
fn what_lies_within_counts_once_and_as_far_as_it_does() {
    let two = || history().killed_until(10_000, 20_000).killed_until(40_000, 45_000);
    check(two(), 15_000);
    check(two().lag(12_000, 500), 15_000);
    check_between(two(), (15, 18), 3_000);
    check_between(two(), (5, 12), 2_000);
    check_between(two(), (20, 40), 0);
    check_between(two(), (19, 42), 3_000);
    check_between(two(), (46, 90), 0);
}

/// Why there was no room for a campaign of two links at 100 s that was due ten seconds later, where one
/// call carries one of them and this many calls of others may leave in a minute.
fn no_room(slots: u32, others: &[u64], own: &[Exchange]) -> Option<String> {
    let calls = others.iter().map(|at| read("ann", *at)).chain(own.iter().cloned());
    let mut history = history()
        .declaring(|of| (of.rate_cap, of.click_slots) = (Some(slots + 2), 2))
        .exchanges(calls.collect::<Vec<_>>());
    history.case.contract.batch.max_items = 1;
    history.case.ready();
    let writes = Writes::of(&history.case);
    let due = Due::of(&history.case, &writes);
    due.no_room(&launched(&[("l1", "a"), ("l2", "b")], 100_000), &writes, S(110))
}

#[test]
fn there_is_room_where_twice_what_is_needed_could_have_been_called() {
    // Two links, twice as many calls for whoever fills them by half, and twice that.
    assert_eq!(no_room(8, &[], &[]), None);
    let why = no_room(7, &[], &[]).unwrap();
    assert!(
        why.starts_with("beside 0 other calls the cap left room for 7 of the 8 calls"),
        "{why}"
    );
    assert!(why.contains("of 2 links"), "{why}");
    // What others sent in the window before takes room, until it has left the window.
    assert_eq!(no_room(9, &[60_000], &[]), None);
    let why = no_room(9, &[60_000, 70_000], &[]).unwrap();
    assert!(why.starts_with("beside 2 other calls the cap left room for 7 of"), "{why}");
    assert_eq!(no_room(9, &[30_000, 35_000], &[]), None);
    assert_eq!(no_room(8, &[45_000], &[]), None);
    assert!(no_room(8, &[50_000], &[]).is_some());
    // And so does what comes before it is due.
    assert!(no_room(9, &[100_010, 101_000], &[]).unwrap().contains("room for 7 of"));
    assert_eq!(no_room(10, &[100_010, 101_000], &[]), None);
}

#[test]
fn its_own_calls_take_no_room_and_each_that_failed_asks_for_more() {
    let own = |status| wrote(&[("l1", "a")], 99_000, status);
    assert_eq!(no_room(8, &[], &[own(200)]), None);
    let other = wrote(&[("l1", "other")], 99_000, 200);
    assert!(no_room(8, &[], &[other]).is_some());
    let why = no_room(9, &[], &[own(503)]).unwrap();
    assert!(why.contains("room for 9 of the 10 calls"), "{why}");
    assert_eq!(no_room(10, &[], &[own(503)]), None);
}

#[test]
fn of_several_instances_each_has_its_part_and_room_is_reckoned_as_time_goes_by() {
    let made = |instances, from_s, until_s, others: &[u64]| {
        let history = history().declaring(|of| {
            (of.rate_cap, of.click_slots, of.instances) = (Some(12), 2, instances);
        });
        let others: Vec<Moment> = others.iter().map(|ms| Moment::from_ms(*ms)).collect();
        room(&history.case, &others, (S(from_s), S(until_s)), 100)
    };
    assert_eq!(made(1, 100, 110, &[]), 10);
    let case = history().declaring(|of| (of.rate_cap, of.click_slots) = (Some(12), 2)).case;
    assert_eq!(room(&case, &[], (S(100), S(110)), 5), 5, "no more than is asked for");
    assert_eq!(made(2, 100, 110, &[]), 5);
    assert_eq!(made(0, 100, 110, &[]), 10);
    // One at each look, 300 ms apart.
    assert_eq!(made(1, 100, 101, &[]), 4);
    assert_eq!(made(1, 100, 100, &[]), 0);
    // Its own calls leave the window as those of others do.
    assert_eq!(made(1, 100, 165, &[]), 20);
    assert_eq!(made(1, 100, 160, &[]), 10);
    assert_eq!(made(1, 100, 110, &[50_000; 4]), 6);
    assert_eq!(made(1, 100, 110, &[40_000; 4]), 10);
    assert_eq!(made(1, 100, 110, &[105_000; 4]), 10);
    assert_eq!(made(1, 100, 110, &[100_000; 4]), 6);
}

#[test]
fn what_fits_into_one_call_may_take_two_and_has_room_for_four() {
    let no_room = |slots: u32| {
        let mut history =
            history().declaring(|of| (of.rate_cap, of.click_slots) = (Some(slots + 2), 2));
        history.case.contract.batch.max_items = 2;
        let writes = Writes::of(&history.case);
        let launch = launched(&[("l1", "a"), ("l2", "b")], 100_000);
        Due::of(&history.case, &writes).no_room(&launch, &writes, S(110))
    };
    assert_eq!(no_room(4), None);
    assert!(no_room(3).unwrap().contains("room for 3 of the 4 calls"));
}
