//! Tiny histories of two large campaigns, and what each rule makes of them.

use super::*;
use crate::testing::{History, launched, read, seen, wrote};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::contract::Route;
use mock_server::history::exchange::{End, Exchange};

/// Links with these numbers, all of which shall say this.
fn words(numbers: std::ops::Range<u32>, says: &str) -> Vec<(String, String)> {
    numbers.map(|n| (format!("l{n}"), format!("{says}{n}"))).collect()
}

fn refs(links: &[(String, String)]) -> Vec<(&str, &str)> {
    links.iter().map(|(id, payload)| (id.as_str(), payload.as_str())).collect()
}

fn launch(links: &[(String, String)], at_ms: u64) -> Operation<'static> {
    launched(&refs(links), at_ms, at_ms + 5)
}

fn batch(links: &[(String, String)], at_ms: u64) -> Exchange {
    wrote(&refs(links), at_ms, 200)
}

/// Written, and the answer was lost.
fn lost(exchange: Exchange) -> Exchange {
    Exchange { end: End::ServerReset, status: None, t_w: None, ..exchange }
}

/// The last so many of its links failed.
fn partly(mut exchange: Exchange, failed: usize) -> Exchange {
    for link in exchange.links.iter_mut().rev().take(failed) {
        (link.status, link.effect) = (503, false);
    }
    exchange
}

/// An hour in which two campaigns of 200 links were launched and carried out, with a lost answer and some
/// failed links in the second.
fn two() -> History {
    let (first, second) = (words(0..200, "a"), words(200..400, "b"));
    History::over(&[(crate::plan::PhaseKind::Storm, 0, 3_600)])
        .operation(launch(&first, 10_000))
        .exchange(batch(&first[..100], 11_000))
        .exchange(batch(&first[100..], 12_000))
        .operation(launch(&second, 20_000))
        .exchange(lost(batch(&second[..100], 21_000)))
        .exchange(batch(&second[..100], 22_000))
        .exchange(partly(batch(&second[100..], 23_000), 10))
        .exchange(batch(&second[190..], 24_000))
}

#[track_caller]
fn check(history: History, expected: VerdictKind) -> Verdict {
    let verdict = history.judged_by(&BulkBatched);
    assert_eq!(verdict.kind, expected, "{verdict:#?}");
    verdict
}

#[track_caller]
fn blamed(history: History, words: &str) {
    let verdict = check(history, Violated);
    let said: Vec<_> = verdict.witnesses.iter().map(|one| one.what.clone()).collect();
    assert!(said.iter().any(|what| what.contains(words)), "{said:?}");
}

#[test]
fn campaigns_that_were_carried_out_hold_and_nothing_shows_nothing() {
    let verdict = check(two(), Held);
    let seen = [&LARGE, &PARTLY, &LOST].map(|minimum| seen(&verdict, minimum));
    assert_eq!(seen, [Some(2), Some(1), Some(1)]);
    check(History::over(&[]), Inconclusive);
}

#[test]
fn a_link_that_was_forgotten_is_owed_and_one_that_was_late_too() {
    let third = words(500..700, "c");
    let launched = |until| two().operation(launch(&third, 100_000)).exchanges(until);
    let both = |at| [batch(&third[..100], 101_000), batch(&third[100..], at)];
    check(launched(both(160_105)), Held);
    blamed(launched(both(160_106)), "100 of 200 links");
    let forgotten = [batch(&third[..100], 101_000), partly(batch(&third[100..], 102_000), 1)];
    blamed(launched(forgotten), "1 of 200 links");
    let mut late = launched(both(160_106));
    late.case.declared.campaign_within_ms = 61_000;
    check(late, Held);
}

#[test]
fn what_failed_and_what_was_told_to_wait_leave_more_time() {
    let third = words(500..700, "c");
    let late = |at| two().operation(launch(&third, 100_000)).exchange(batch(&third, at));
    blamed(late(165_000), "200 of 200 links");
    let told = crate::testing::asked_to_wait("ann", 120_000, 429, 5);
    check(late(165_000).exchange(told), Held);
    // A second's call and the fourth backoff, 8 s.
    check(late(165_000).exchange(partly(batch(&third, 110_000), 200)), Held);
    check(late(165_000).killed_until(130_000, 140_000), Held);
    check(late(165_000).lag(120_000, 5_000), Held);
    blamed(late(165_000).lag(120_000, 4_000), "200 of 200 links");
}

#[test]
fn a_campaign_that_was_not_acknowledged_owes_nothing() {
    let third = words(500..700, "c");
    for status in [400, 503] {
        let refused = Operation { status: Some(status), ..launch(&third, 100_000) };
        check(two().operation(refused), Held);
    }
}

#[test]
fn a_cap_that_others_use_up_leaves_nothing_to_blame() {
    let third = words(500..700, "c");
    let others = |every: u64| (0..200_000 / every).map(move |n| read("ann", 40_000 + n * every));
    let busy = |every| two().operation(launch(&third, 100_000)).exchanges(others(every));
    // Of the cap's ninety, clicks keep twenty-four.
    let verdict = check(busy(900), Inconclusive);
    assert!(verdict.reason.unwrap().contains("the cap left room for"));
    blamed(busy(2_000), "200 of 200 links");
}

#[test]
fn the_words_of_the_later_campaign_stand() {
    let (older, newer) = (words(500..700, "c"), words(650..850, "d"));
    let both = || two().operation(launch(&older, 100_000)).operation(launch(&newer, 110_000));
    let one_after_the_other = both()
        .exchange(batch(&older[..100], 101_000))
        .exchange(batch(&older[100..], 111_000))
        .exchange(batch(&newer[..100], 112_000))
        .exchange(batch(&newer[100..], 113_000));
    check(one_after_the_other, Held);
    let dropped = both()
        .exchange(batch(&older[..100], 101_000))
        .exchange(batch(&older[100..150], 111_000))
        .exchange(batch(&newer[..100], 112_000))
        .exchange(batch(&newer[100..], 113_000));
    check(dropped, Held);
    let stale = both()
        .exchange(batch(&older[..100], 101_000))
        .exchange(batch(&newer[..100], 112_000))
        .exchange(batch(&newer[100..], 113_000))
        .exchange(batch(&older[100..], 114_000));
    blamed(stale, "ended with an earlier campaign's words");
    // It was on its way when the later campaign was acknowledged.
    let raced = both()
        .exchange(batch(&older[..100], 101_000))
        .exchange(batch(&newer[..100], 110_020))
        .exchange(batch(&newer[100..], 110_030))
        .exchange(batch(&older[100..], 110_090));
    check(raced, Held);
}

#[test]
fn what_linktree_confirmed_is_not_written_again() {
    let first = words(0..200, "a");
    let again = |at| two().exchange(batch(&first[..100], at));
    blamed(again(30_000), "100 links were written again");
    // Within δ of the answer it may not have been read.
    check(again(11_105), Held);
    check(again(30_000).killed_until(11_002, 15_000), Held);
    // Unless the connection on which the answer came was used again.
    let at_once = |conn| {
        let again = Exchange { conn, conn_seq: 1, ..batch(&first[..100], 11_006) };
        two().exchange(again)
    };
    check(at_once(2), Held);
    blamed(at_once(1), "100 links were written again");
}

#[test]
fn what_was_confirmed_to_a_target_without_a_processor_may_be_written_again_and_shows_nothing() {
    let first = words(0..200, "a");
    // The answer to the first batch came at 11,005 ms.
    let again =
        |conn, at_ms| two().exchange(Exchange { conn, conn_seq: 1, ..batch(&first[..100], at_ms) });
    blamed(again(2, 30_000), "100 links were written again");
    let verdict = check(again(2, 30_000).starved(10_800, 11_300, 400), Inconclusive);
    let reason = verdict.reason.as_deref().unwrap();
    assert!(reason.starts_with("100 links were written again after Linktree"), "{reason}");
    assert_eq!(
        crate::testing::measured(
            &verdict,
            "links written again although Linktree had confirmed them"
        ),
        Some(0)
    );
    // It went on on that connection, and has read what came there.
    blamed(again(1, 30_000).starved(10_800, 11_300, 400), "100 links were written again");
    // With the answer it took no longer than an answer that nobody gives up, or just so.
    blamed(again(2, 30_000).starved(10_900, 11_150, 195), "100 links were written again");
    check(again(2, 30_000).starved(10_900, 11_150, 196), Inconclusive);
    // Within δ of the answer nothing is asked, and nothing was written again.
    check(again(2, 11_105).starved(10_950, 11_010, 50), Held);
    check(two().starved(10_800, 11_300, 400), Held);
    // A third time, after what was read, is one too many.
    let third = Exchange { conn: 3, conn_seq: 1, ..batch(&first[..100], 40_000) };
    let thrice = again(2, 30_000).exchange(third).starved(10_800, 11_300, 400);
    blamed(thrice, "100 links were written again");
}

#[test]
fn words_that_nobody_asked_for_are_told() {
    let other = words(0..10, "z");
    blamed(two().exchange(batch(&other, 30_000)), "words that no campaign asked for");
    blamed(two().exchange(batch(&words(900..901, "a"), 30_000)), "of no campaign");
}

#[test]
fn links_go_in_batches_of_half_the_largest_at_least_but_for_a_few() {
    let third = words(500..800, "c");
    let by = |size: usize| {
        let calls = third.chunks(size).zip(0..).map(|(part, n)| {
            let route = if size == 1 { Route::Link } else { Route::LinksBatch };
            Exchange { route, ..batch(part, 101_000 + n * 100) }
        });
        two().operation(launch(&third, 100_000)).exchanges(calls)
    };
    for lawful in [100, 75, 50] {
        check(by(lawful), Held);
    }
    // Of the seventeen that are enough the other two campaigns needed four.
    for small in [20, 10, 1] {
        blamed(by(small), "half full");
    }
}

#[test]
fn a_batch_that_is_too_large_is_blamed_and_one_that_a_fault_refused_is_not() {
    let third = words(500..700, "c");
    let refused =
        |status| Exchange { status: Some(status), ..wrote(&refs(&third), 101_000, status) };
    let then = |first: Exchange| {
        let rest = [batch(&third[..100], 102_000), batch(&third[100..], 103_000)];
        two().operation(launch(&third, 100_000)).exchange(first).exchanges(rest)
    };
    blamed(then(refused(400)), "a batch of 200 links was refused whole");
    check(then(refused(429)), Held);
    check(then(crate::testing::hit_by("status", refused(400))), Held);
}

#[test]
fn a_burst_above_the_cap_is_blamed_while_a_campaign_goes_out() {
    let burst = |at: u64| (0..91).map(move |n| read("ann", at + n));
    blamed(two().exchanges(burst(20_500)), "91 requests within");
    check(two().exchanges(burst(300_000)), Held);
}

#[test]
fn what_became_of_each_link_is_counted_and_told() {
    let measured = crate::testing::measured;
    let slowest = "slowest link, without what held it back";
    let verdict = check(two(), Held);
    let told =
        "2 campaigns, 2 of them acknowledged, changed 400 links in 6 calls; 0 links are undecided";
    assert!(verdict.observed.ends_with(told), "{}", verdict.observed);
    // The second half of the first campaign, acknowledged at 10,005 ms.
    assert_eq!(measured(&verdict, slowest), Some(1_995_000));
    let third = words(500..700, "c");
    let launched =
        || two().operation(launch(&third, 100_000)).exchange(batch(&third[..100], 101_000));
    for rest in [vec![batch(&third[100..], 160_106)], vec![]] {
        let verdict = check(launched().exchanges(rest), Violated);
        assert!(verdict.observed.contains("changed 600 links"), "{}", verdict.observed);
        assert_eq!(measured(&verdict, "links not changed in time"), Some(100));
        assert_eq!(measured(&verdict, slowest), None);
    }
    // A campaign for which there was no room owes what it could not do to nobody.
    let others = (0..222).map(|n| read("ann", 40_000 + n * 900));
    let verdict = check(launched().exchanges(others), Inconclusive);
    assert!(verdict.observed.contains("changed 500 links"), "{}", verdict.observed);
}

#[test]
fn what_may_still_come_in_time_is_undecided() {
    let third = words(500..700, "c");
    let launched = |at_ms| two().operation(launch(&third, at_ms));
    let verdict = check(launched(3_539_895), Held);
    assert!(verdict.observed.contains("changed 400 links in 6 calls; 200 links are undecided"));
    assert_eq!(seen(&verdict, &LARGE), Some(2));
    blamed(launched(3_539_894), "200 of 200 links");
    let mut broken_off = launched(100_000);
    broken_off.case.harness.outcome = None;
    assert_ne!(broken_off.judged_by(&BulkBatched).kind, Violated);
    // A small one is none of the large ones.
    let few = words(500..699, "c");
    let small = two().operation(launch(&few, 100_000)).exchange(batch(&few, 101_000));
    assert_eq!(seen(&small.judged_by(&BulkBatched), &LARGE), Some(2));
}

#[test]
fn older_words_may_come_as_long_as_the_later_campaign_may_not_be_known() {
    let (older, newer) = (words(500..700, "c"), words(650..850, "d"));
    let older_at = |at_ms| {
        two()
            .operation(launch(&older, 100_000))
            .operation(launch(&newer, 110_000))
            .exchange(batch(&older[..100], 101_000))
            .exchange(batch(&newer[..100], 110_020))
            .exchange(batch(&newer[100..], 110_030))
            .exchange(batch(&older[100..], at_ms))
    };
    // It was acknowledged at 110,005 ms.
    check(older_at(110_105), Held);
    blamed(older_at(110_106), "ended with an earlier campaign's words");
}

#[test]
fn of_several_later_campaigns_that_one_is_told_whose_words_had_been_there() {
    let [first, second, third] = ["c", "d", "e"].map(|says| words(500..700, says));
    let history = two()
        .operation(launch(&first, 100_000))
        .operation(launch(&second, 110_000))
        .operation(launch(&third, 120_000))
        .exchange(batch(&third[..100], 121_000))
        .exchange(batch(&third[100..], 122_000))
        .exchange(batch(&first[..100], 130_000));
    let verdict = check(history, Violated);
    assert_eq!(crate::testing::measured(&verdict, "links left with older words"), Some(100));
    let older = |one: &&Witness| one.what.contains("ended with an earlier campaign's words");
    let story = &verdict.witnesses.iter().find(older).unwrap().story;
    assert!(story[2].ends_with(", with the earlier words"), "{story:?}");
    assert!(!story[2].starts_with(&story[1]), "{story:?}");
}

#[test]
fn two_campaigns_with_the_same_words_are_two() {
    let first = words(0..200, "a");
    let again = two()
        .operation(launch(&first, 25_000))
        .exchange(batch(&first[..100], 30_000))
        .exchange(batch(&first[100..], 31_000));
    check(again, Held);
    // Between them another one had its words, which the second launch of the first takes back.
    let other = words(0..200, "b");
    let back = |at_ms| {
        two()
            .operation(launch(&other, 25_000))
            .exchange(batch(&other[..100], 26_000))
            .exchange(batch(&other[100..], 27_000))
            .operation(launch(&first, at_ms))
            .exchange(batch(&first[..100], 40_000))
            .exchange(batch(&first[100..], 41_000))
    };
    check(back(30_000), Held);
    // It came before the other one, whose words are the last.
    blamed(back(24_000), "ended with an earlier campaign's words");
}
