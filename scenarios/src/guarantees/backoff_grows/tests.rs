//! Tiny histories of retries for `backoff-grows`.

use super::*;
use crate::plan::{Declared, PhaseKind};
use crate::testing::{Decides, History, measured, page, read, refused, sent_batch, sent_click};
use crate::verdict::VerdictKind::{self, *};
use mock_server::history::exchange::Exchange;

/// `calls` page reads, one a minute, with these delays in milliseconds before their retries;
/// each delay is a little longer for each further call when there is `jitter`.
fn retried(calls: u64, delays: &[u64], jitter: bool) -> Vec<Exchange> {
    let call = |n: u64| {
        let (handle, mut at) = (format!("creator{n}"), n * 60_000);
        let mut attempts = vec![refused(&handle, at, 503)];
        for delay in delays {
            at += 5 + if jitter { delay * (n + 1) / calls } else { *delay };
            attempts.push(refused(&handle, at, 503));
        }
        let last = attempts.pop().map(|last| read(&handle, last.t_req.0 / 1_000_000));
        attempts.into_iter().chain(last)
    };
    (0..calls).flat_map(call).collect()
}

fn check(exchanges: Vec<Exchange>, expected: VerdictKind, word: &str) {
    let history = History::over(&[(PhaseKind::RetryGaps, 0, 3_600)]).exchanges(exchanges);
    said(history, expected, word);
}

fn said(history: History, expected: VerdictKind, word: &str) {
    let verdict = history.judged_by(&BackoffGrows);
    let text = format!("{verdict:?}");
    assert!(verdict.kind == expected && text.contains(word), "{text}");
}

/// Six attempts of each of 20 page reads, for two visitors who asked so long before the first.
fn crowded(before_ms: u64) -> History {
    let unbounded = retried(20, &[1_000, 2_000, 4_000, 8_000, 16_000], true);
    let visits = (0..20).map(|n: u64| {
        let at = (n * 60_000).saturating_sub(before_ms);
        Operation { handle: format!("creator{n}").into(), ..page("-", at, at + 9, "-") }
    });
    History::over(&[(PhaseKind::RetryGaps, 0, 3_600)])
        .exchanges(unbounded)
        .operations(visits.clone())
        .operations(visits)
}

/// Two page reads that were retried at once, in a storm.
fn at_once() -> History {
    History::over(&[(PhaseKind::Storm, 0, 3_600)]).exchanges(retried(2, &[1; 4], false))
}

pub fn decided() -> Vec<Decides> {
    vec![
        Decides { bound: &ASKED_WITHIN, value: 1_000, history: || crowded(5_000) },
        Decides { bound: &AT_ONCE, value: 1, history: at_once },
    ]
}

#[test]
fn growing_delays_with_jitter_hold() {
    check(retried(20, &[1_000, 2_000, 4_000, 8_000], true), Held, "20 of them 4 times");
}

#[test]
fn constant_delays_even_with_jitter_violate() {
    check(retried(20, &[1_000; 4], true), Violated, "they do not grow");
}

#[test]
fn the_witness_is_a_call_with_the_retry_that_is_wrong() {
    // The first call of all ends with its second retry; the third is the first that is judged.
    let mut exchanges = retried(21, &[1_000; 4], true);
    exchanges.drain(3..5);
    let history = History::over(&[(PhaseKind::RetryGaps, 0, 3_600)]).exchanges(exchanges);
    let verdict = history.judged_by(&BackoffGrows);
    assert_eq!((verdict.kind, verdict.witnesses[0].story.len()), (Violated, 5), "{verdict:?}");
}

#[test]
fn delays_that_grow_in_lockstep_violate() {
    check(retried(20, &[1_000, 2_000, 4_000, 8_000], false), Violated, "no jitter");
    check(retried(20, &[1_000, 2_000, 3_000, 4_000], false), Violated, "no jitter");
}

#[test]
fn immediate_retries_violate() {
    check(retried(20, &[1; 4], false), Violated, "without any delay");
}

#[test]
fn immediate_retries_elsewhere_violate_unless_several_visitors_asked() {
    said(at_once(), Violated, "2 calls were retried three times");
    let visits = |n: u64| page(["creator0", "creator1"][n as usize], n * 60_000, n, "-");
    let crowd = at_once().operations((0..2).flat_map(|n| [visits(n), visits(n)]));
    said(crowd, Inconclusive, "no calls that were retried");
}

#[test]
fn more_attempts_than_declared_violate_unless_there_were_more_visits() {
    let unbounded = retried(20, &[1_000, 2_000, 4_000, 8_000, 16_000], true);
    check(unbounded.clone(), Violated, "6 attempts of a page read");
    // That is no fault of their spacing.
    let history = History::over(&[(PhaseKind::RetryGaps, 0, 3_600)]).exchanges(unbounded);
    let verdict = history.judged_by(&BackoffGrows);
    assert_eq!(measured(&verdict, "tests of the spacing that failed"), Some(0), "{verdict:?}");
    let of_deliveries = measured(&verdict, "tests of the spacing of deliveries that failed");
    assert_eq!(of_deliveries, None, "{verdict:?}");
    said(crowded(0), Held, "");
}

#[test]
fn too_few_calls_or_a_base_too_short_are_inconclusive() {
    let few = retried(15, &[1_000, 2_000, 4_000, 8_000], true);
    check(few, Inconclusive, "calls with all the retries that the plan shows: 15 seen, 16 needed");
    let delays = retried(20, &[1_000, 2_000, 4_000, 8_000], true);
    let mut history = History::over(&[(PhaseKind::RetryGaps, 0, 3_600)]).exchanges(delays);
    history.case.times.backoff_base = std::time::Duration::from_millis(20);
    said(history, Inconclusive, "the base of the backoff is 20 ms at time scale 1");
}

#[test]
fn chains_while_the_harness_was_late_are_left_out() {
    let delays = retried(20, &[1_000, 2_000, 4_000, 8_000], false);
    let history = History::over(&[(PhaseKind::RetryGaps, 0, 3_600)]).exchanges(delays);
    said((0..20).fold(history, |h, n| h.lag(n * 60_000, 500)), Inconclusive, "20 left out");
}

#[test]
fn chains_across_a_restart_or_a_pause_are_left_out() {
    let history = || {
        let delays = retried(20, &[1_000, 2_000, 4_000, 8_000], false);
        History::over(&[(PhaseKind::RetryGaps, 0, 3_600)]).exchanges(delays)
    };
    let killed = (0..20).fold(history(), |h, n| h.killed(n * 60_000 + 500));
    said(killed, Inconclusive, "20 left out");
    let paused = (0..20).fold(history(), |h, n| h.paused(n * 60_000 + 500, n * 60_000 + 900));
    said(paused, Inconclusive, "20 left out");
    said(history().killed(30_000), Violated, "0 left out");
    // A delivery is left out as one of a chain, and as one that failed and went again.
    let jitter: Vec<u64> = (1..=24).map(|n| n * 40).collect();
    let reads = retried(20, &[1_000, 2_000, 4_000, 8_000], true);
    let both = History::over(&[(PhaseKind::RetryGaps, 0, 3_600)]).exchanges(reads);
    let killed = both.exchanges(delivered(&jitter)).killed(22 * 60_000 + 500);
    said(killed, Held, "; 2 left out");
}

/// A queue that delivers a click each minute, refused once, with these delays in milliseconds before
/// the retry, in turn.
fn delivered(delays: &[u64]) -> Vec<Exchange> {
    let call = |n: u64| {
        let (id, at) = (format!("click{n}"), n * 60_000);
        let again = at + 5 + delays[n as usize % delays.len()];
        [sent_click(&id, at, 503), sent_click(&id, again, 202)]
    };
    (0..24).flat_map(call).collect()
}

/// A batch that is refused and goes again after each of these delays in seconds, with one click more
/// each time, until there are no more.
fn refused_batches(delays: &[f64]) -> Vec<Exchange> {
    let ids: Vec<String> = (0..=delays.len()).map(|n| format!("click{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut at = 0;
    let mut attempts = vec![sent_batch(&ids[..1], at, 429)];
    for (n, delay) in delays.iter().enumerate() {
        at += 5 + (delay * 1_000.0) as u64;
        attempts.push(sent_batch(&ids[..n + 2], at, 429));
    }
    attempts
}

fn clicks(exchanges: Vec<Exchange>, expected: VerdictKind, word: &str) {
    let reads = retried(20, &[1_000, 2_000, 4_000, 8_000], true);
    check(reads.into_iter().chain(exchanges).collect(), expected, word);
}

#[test]
fn deliveries_with_jitter_hold_and_in_lockstep_violate() {
    let jitter: Vec<u64> = (1..=24).map(|n| n * 40).collect();
    clicks(delivered(&jitter), Held, "24 deliveries of clicks were retried one after the other");
    let reads = retried(20, &[1_000, 2_000, 4_000, 8_000], true);
    let both = History::over(&[(PhaseKind::RetryGaps, 0, 3_600)]).exchanges(reads);
    assert_eq!(both.exchanges(delivered(&jitter)).judged_by(&BackoffGrows).seen, 20 + 24);
    clicks(delivered(&[700]), Violated, "deliveries: 24 delays before retry 1 crowd around 700 ms");
    // A first retry at once is usual.
    clicks(delivered(&[5]), Held, "");
}

#[test]
fn deliveries_that_grow_up_to_their_cap_hold_for_as_long_as_it_takes() {
    let grown = [0.5, 1.0, 2.1, 3.9, 9.0, 16.0, 28.0, 11.0, 22.0, 30.0, 17.0, 26.0];
    clicks(refused_batches(&grown), Held, "13 times in a row at the most");
    clicks(refused_batches(&[0.9; 16]), Violated, "are too short, the last below");
    clicks(refused_batches(&[0.9; 5]), Held, "");
    clicks(refused_batches(&[30.0; 12]), Held, "");
}

#[test]
fn a_queue_is_judged_by_its_own_backoff() {
    let said = |declare: fn(&mut Declared), exchanges, expected, word| {
        let reads = retried(20, &[1_000, 2_000, 4_000, 8_000], true);
        let over = [(PhaseKind::RetryGaps, 0, 3_600)];
        let history = History::over(&over).exchanges(reads).exchanges(exchanges);
        said(history.declaring(declare), expected, word);
    };
    let flat = || refused_batches(&[1.2; 24]);
    said(|_| (), flat(), Violated, "they do not grow");
    // As long as its cap is long enough, and so is each call of its own.
    said(|declared| declared.click_backoff_cap_ms = Some(1_200), flat(), Held, "up to 1.2 s");
    said(|declared| declared.click_attempts = 3, flat(), Held, "");
    let short = |declared: &mut Declared| declared.click_backoff_base_ms = Some(20);
    said(short, vec![], Inconclusive, "the base of the backoff of clicks is 20 ms");
}

#[test]
fn deliveries_at_once_violate() {
    clicks(refused_batches(&[0.002; 14]), Violated, "they do not grow");
    let mut calls_of_their_own = refused_batches(&[0.002; 3]);
    calls_of_their_own.extend(delivered(&[700, 100, 400, 900]));
    let over = [(PhaseKind::Storm, 0, 3_600)];
    let keyed = |one: Exchange| Exchange { idempotency_key: Some("key".into()), ..one };
    let mut history = History::over(&over).exchanges(calls_of_their_own.into_iter().map(keyed));
    history.case.declared.click_attempts = 3;
    said(history, Violated, "1 call was retried three times without any delay");
}
