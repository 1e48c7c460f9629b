//! Tiny histories of clicks on their way for `clicks-delivered`.

use super::*;
use crate::history::Outcome;
use crate::history::{Click, Did, Oddity};
use crate::plan::PhaseKind::{Control, Outage, Settle};
use crate::testing::{History, click, refused, sent_batch, sent_click};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::history::exchange::click_payload;

const PHASES: &[(crate::plan::PhaseKind, u64, u64)] =
    &[(Control, 0, 10), (Outage, 10, 20), (Settle, 20, 120)];

/// Five clicks of an outage from 10 s to 20 s are delivered when the breaker may have closed.
fn queued() -> History {
    let history = History::over(PHASES).exchange(refused("ann", 11_000, 503));
    ["v", "w", "x", "y", "z"].into_iter().fold(history, |history, id| {
        history.operation(click(id, 15_000, 15_005)).exchange(sent_click(id, 51_000, 202))
    })
}

#[track_caller]
fn check(history: History, expected: VerdictKind) -> Verdict {
    let verdict = history.judged_by(&ClicksDelivered);
    assert_eq!(verdict.kind, expected, "{verdict:?}");
    verdict
}

#[test]
fn delivered_and_finally_refused_clicks_hold() {
    let history = queued().operation(click("a", 0, 5));
    let history = history.operation(click("b", 0, 6)).exchange(sent_click("a", 20, 202));
    let verdict = check(history.exchange(sent_click("b", 30, 422)), Held);
    assert_eq!((verdict.seen, verdict.strength[0].seen), (7, 5));
    assert!(verdict.observed.contains("7 of 7 acknowledged clicks"), "{verdict:?}");
}

#[test]
fn an_acknowledged_click_without_an_effect_is_lost() {
    check(History::over(PHASES).operation(click("a", 0, 5)), Violated);
    let failed = History::over(PHASES).operation(click("a", 0, 5));
    let verdict = check(failed.exchange(sent_click("a", 10, 503)), Violated);
    assert!(verdict.witnesses[0].story.iter().any(|line| line.contains("503")), "{verdict:?}");
}

#[test]
fn an_odd_click_may_be_passed_on_or_refused_or_dropped() {
    let odd = |id: &'static str| Operation {
        did: Did::OddClick(Oddity { kind: "odd".into(), event_id: Some(id.into()) }),
        ..click(id, 0, 5)
    };
    let real = queued().operation(odd("o1"));
    check(real.operation(odd("o2")).exchange(sent_click("o2", 30, 202)), Held);
}

#[test]
fn a_click_that_the_front_door_refused_may_be_dropped() {
    let turned_away = Operation { status: Some(503), ..click("a", 0, 5) };
    check(queued().operation(turned_away), Held);
}

#[test]
fn a_front_door_that_refuses_an_outages_clicks_has_no_queue() {
    let turned_away =
        |n: u64| Operation { status: Some(503), ..click("-", 12_000 + n * 100, 12_005 + n * 100) };
    let history = (0..10).fold(queued(), |history, n| history.operation(turned_away(n)));
    let verdict = check(history, Violated);
    assert!(verdict.witnesses[0].what.starts_with("10 of 15 clicks were refused"), "{verdict:?}");
}

#[test]
fn clicks_that_never_had_to_wait_prove_no_queue() {
    let one = History::over(PHASES).operation(click("a", 0, 5));
    let verdict = check(one.exchange(sent_click("a", 20, 202)), Inconclusive);
    assert_eq!(verdict.strength[0].seen, 0);
}

#[test]
fn a_batch_that_is_refused_whole_and_dropped_loses_its_clicks() {
    let batch = || sent_batch(&["a", "b"], 20, 400);
    let history = queued().operations([click("a", 0, 5), click("b", 0, 6)]).exchange(batch());
    assert_eq!(check(history, Violated).violations, 2);
    let sent_singly = queued().operation(click("a", 0, 5)).exchange(batch());
    check(sent_singly.exchange(sent_click("a", 900, 202)), Held);
}

#[test]
fn a_queue_that_still_drains_when_the_recording_ends_is_late_and_loses_nothing() {
    let history = queued().operation(click("a", 0, 5)).operation(click("b", 0, 6));
    let verdict = check(history.exchange(sent_click("b", 91_000, 202)), Inconclusive);
    assert!(verdict.reason.unwrap().contains("while clicks still arrived"));
}

#[test]
fn the_click_that_waited_longest_is_shown_first() {
    let history = History::over(PHASES).operation(click("late", 58_000, 58_005));
    let verdict = check(history.operation(click("early", 51_000, 51_005)), Violated);
    assert!(verdict.witnesses[0].what.contains("click early was acknowledged"), "{verdict:?}");
}

#[test]
fn the_same_instant_in_another_spelling_is_no_alteration() {
    let with = |sent: &str, got: &str| {
        let payload = |at: &str| click_payload("ann", "ann-l1", at);
        let did = Did::Click(Click { event_id: "a".into(), payload: payload(sent).into() });
        let mut delivered = sent_click("a", 9, 202);
        delivered.clicks[0].payload = payload(got);
        queued().operation(Operation { did, ..click("a", 0, 5) }).exchange(delivered)
    };
    let sent = "2026-01-01T00:00:01.120Z";
    for got in [
        "2026-01-01T00:00:01.12Z",
        "2026-01-01T00:00:01.120000+00:00",
        "2026-01-01T02:00:01.120+02:00",
        "2025-12-31t19:00:01.12-05:00",
    ] {
        check(with(sent, got), Held);
    }
    for got in ["2026-01-01T00:00:01Z", "2026-01-01T02:00:01.120Z", "1767225601.12", ""] {
        let verdict = check(with(sent, got), Violated);
        assert!(verdict.witnesses[0].what.contains("another occurred_at"), "{verdict:?}");
    }
}

#[test]
fn invented_and_altered_clicks_are_violated() {
    check(History::over(PHASES).exchange(sent_click("ghost", 20, 202)), Violated);
    let did = Did::Click(Click { event_id: "a".into(), payload: "q".into() });
    let other = Operation { did, ..click("a", 0, 5) };
    check(History::over(PHASES).operation(other).exchange(sent_click("a", 9, 202)), Violated);
    assert_eq!(differences("1-2-3", "1-5-3"), "another link_id than the visitor sent");
    let both = "another handle and occurred_at than the visitor sent";
    assert_eq!(differences("1-2-3", "0-2-4"), both);
}

#[test]
fn an_undelivered_click_is_undecided_until_it_was_due() {
    let phases = [(Outage, 0, 10), (Settle, 10, 99)]; // 10 s + 30 s open + 60 s lag > 99 s
    check(History::over(&phases).operation(click("a", 0, 5)), Inconclusive);
    check(
        History::over(&[(Outage, 0, 10), (Settle, 10, 101)]).operation(click("a", 0, 5)),
        Violated,
    );
}

#[test]
fn a_broken_recording_loses_nothing_but_may_show_inventions() {
    let broken = |exchange_at| {
        let mut history = History::over(PHASES).operation(click("a", 0, 5));
        history.case.harness.outcome = Some(Outcome::Interrupted);
        history.exchange(sent_click("ghost", exchange_at, 202))
    };
    check(broken(90_000), Inconclusive); // its visitor may still have been waiting
    check(broken(20), Violated);
}

#[test]
fn a_click_is_lost_once_it_was_due_with_the_tolerance_before_the_recording_ended() {
    // It ended at 120 s, and the breaker may have been closed from 50 s on.
    let acknowledged = |at| queued().operation(click("late", at - 5, at));
    check(acknowledged(59_900), Violated);
    check(acknowledged(59_901), Inconclusive);
}

#[test]
fn a_witness_shows_the_last_attempts_and_counts_those_before() {
    let story = |attempts: u64| {
        let history = History::over(PHASES).operation(click("a", 0, 5));
        let failed = (0..attempts).map(|n| sent_click("a", 10 + n * 500, 503));
        check(history.exchanges(failed), Violated).witnesses[0].story.join("; ")
    };
    assert!(!story(5).contains("before these"));
    assert!(story(7).contains("2 attempts before these"));
}
