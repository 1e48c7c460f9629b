//! Tiny histories of clicks that are sent again for `clicks-counted-once`.

use super::*;
use crate::testing::{History, click, measured, page, seen, sent_batch, sent_click};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::history::exchange::{End, Exchange};

fn repeated(at_ms: u64) -> Exchange {
    repeated_as("a", at_ms)
}

fn repeated_as(event_id: &str, at_ms: u64) -> Exchange {
    let mut again = sent_click(event_id, at_ms, 202);
    again.clicks[0].effect = false;
    again
}

fn keyed(key: &str, exchange: Exchange) -> Exchange {
    Exchange { idempotency_key: Some(key.into()), ..exchange }
}

const MANY: [&str; 10] = ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"];

/// Ten clicks in a batch whose receipt is lost, and then once more.
fn retried() -> History {
    let lost = Exchange { end: End::ServerReset, status: None, ..sent_batch(&MANY, 0, 202) };
    let mut again = sent_batch(&MANY, 900, 202);
    again.clicks.iter_mut().for_each(|click| click.effect = false);
    History::over(&[]).exchanges([lost, again])
}

#[track_caller]
fn check(exchanges: impl IntoIterator<Item = Exchange>, expected: VerdictKind) {
    let verdict = retried().exchanges(exchanges).judged_by(&ClicksCountedOnce);
    assert_eq!(verdict.kind, expected, "{verdict:?}");
}

#[test]
fn a_retry_under_the_same_key_holds_and_no_retry_is_inconclusive() {
    check([sent_click("a", 0, 503), sent_click("a", 900, 202)], Held);
    check([sent_batch(&["a", "b"], 0, 503), sent_batch(&["b", "a"], 900, 202)], Held);
    let few = |exchanges: Vec<Exchange>| {
        History::over(&[]).exchanges(exchanges).judged_by(&ClicksCountedOnce).kind
    };
    assert_eq!(few(vec![sent_click("a", 0, 202)]), Inconclusive);
    assert_eq!(few(vec![]), Inconclusive);
    let once = History::over(&[]).exchange(sent_batch(&MANY, 0, 202));
    assert_eq!(seen(&once.judged_by(&ClicksCountedOnce), &RETRIED), Some(0));
    assert_eq!(
        few(vec![sent_batch(&MANY[1..], 0, 503), sent_batch(&MANY[1..], 9, 202)]),
        Inconclusive
    );
    assert_eq!(
        few(vec![sent_batch(&MANY, 0, 503), sent_batch(&MANY, 900, 202)]),
        Inconclusive,
        "no receipt was lost"
    );
}

#[test]
fn keys_that_change_are_shared_or_missing_are_violated() {
    let failed = || sent_click("a", 0, 503);
    check([failed(), keyed("k2", sent_click("a", 900, 202))], Violated);
    check([keyed("k", failed()), keyed("k", sent_click("b", 900, 202))], Violated);
    check([Exchange { idempotency_key: None, ..failed() }], Violated);
}

#[test]
fn an_effect_twice_or_a_click_swallowed_as_a_repetition_is_violated() {
    let lost = Exchange { end: End::ServerReset, status: None, ..sent_click("a", 0, 202) };
    check([lost.clone(), repeated(900)], Held);
    check([lost, sent_click("a", 900, 202)], Violated);
    check([repeated(0)], Violated);
}

#[test]
fn a_second_delivery_after_a_definite_2xx_is_needless() {
    let first = || sent_click("a", 0, 202); // known at 5 ms
    check([first(), repeated(900)], Violated);
    check([first(), repeated(105)], Held); // decided before the answer could be known
    let slow = Exchange { t_w: Some(Moment::from_ms(300)), ..first() };
    let next = |conn| Exchange { conn, conn_seq: 1, ..repeated(900) };
    check([slow.clone(), next(1)], Violated); // the connection lived on
    check([slow, next(2)], Held); // perhaps given up meanwhile
}

#[test]
fn who_answers_nobody_has_not_read_the_2xx_either() {
    let history = || retried().exchanges([sent_click("a", 0, 202), repeated(300)]);
    let judged = |history: History| history.judged_by(&ClicksCountedOnce).kind;
    assert_eq!(judged(history()), Violated);
    assert_eq!(judged(history().operation(page("ann", 10, 250, "v0"))), Held);
    let others = (10..250).step_by(10).map(|at| page("bob", at, at + 1, "v0"));
    let answered = history().operation(page("ann", 10, 250, "v0")).operations(others);
    assert_eq!(judged(answered), Violated);
}

#[test]
fn an_answer_that_was_written_after_the_crash_was_never_read() {
    let late = Exchange { t_w: Some(Moment::from_ms(800)), ..sent_click("a", 0, 202) };
    let history = || retried().exchanges([late.clone(), repeated(2_000)]);
    assert_eq!(history().killed(300).judged_by(&ClicksCountedOnce).kind, Held);
}

#[test]
fn whoever_stood_still_may_take_an_answer_for_a_timeout_unless_the_connection_lives_on() {
    let next = |conn| Exchange { conn, conn_seq: 1, ..repeated(9_000) };
    let judged = |second| {
        let history = retried().exchanges([sent_click("a", 0, 202), second]);
        history.paused(2, 5_000).judged_by(&ClicksCountedOnce).kind
    };
    assert_eq!(judged(next(2)), Held);
    assert_eq!(judged(next(1)), Violated);
    assert_eq!(judged(Exchange { conn: 1, conn_seq: 1, ..repeated(5_090) }), Held); // not yet read
}

#[test]
fn a_crash_or_a_visitor_who_repeats_excuses_a_second_delivery() {
    let history = || retried().exchanges([sent_click("a", 0, 202), repeated(900)]);
    assert_eq!(history().killed(50).judged_by(&ClicksCountedOnce).kind, Held);
    assert_eq!(history().terminated(40, 50, 60).judged_by(&ClicksCountedOnce).kind, Held);
    assert_eq!(history().killed(950).judged_by(&ClicksCountedOnce).kind, Violated);
    let twice = history().operations([click("a", 0, 5), click("a", 500, 505)]);
    assert_eq!(twice.judged_by(&ClicksCountedOnce).kind, Held);
    let once = history().operation(click("a", 0, 5));
    assert_eq!(once.judged_by(&ClicksCountedOnce).kind, Violated);
}

#[test]
fn keys_and_effects_are_told_apart() {
    let check = |exchanges: [Exchange; 2], keys, effects| {
        let verdict = retried().exchanges(exchanges).judged_by(&ClicksCountedOnce);
        let gauges = ["keys changed, shared or left out", "effects missed or repeated"];
        let seen = gauges.map(|name| measured(&verdict, name));
        assert_eq!(seen, [Some(keys), Some(effects)], "{verdict:?}");
        verdict
    };
    let lost = || Exchange { end: End::ServerReset, status: None, ..sent_click("a", 0, 202) };
    let verdict = check([lost(), sent_click("a", 900, 202)], 0, 1);
    let story = &verdict.witnesses[0].story;
    assert!(story[0].ends_with("(first)") && story[1].ends_with("(again)"), "{story:?}");
    check([sent_click("b", 0, 503), keyed("k", sent_click("b", 900, 202))], 1, 0);
    let keyless = |id| Exchange { idempotency_key: None, ..sent_click(id, 0, 202) };
    check([keyless("b"), keyless("c")], 2, 0);
    check([lost(), keyed("k", sent_click("a", 900, 202))], 1, 1);
}

#[test]
fn an_answer_that_was_not_yet_read_excuses_one_repetition_and_not_the_next() {
    let history = || retried().exchanges([sent_click("a", 0, 202), repeated(250)]);
    let busy = || history().operation(page("ann", 10, 240, "v0"));
    assert_eq!(busy().judged_by(&ClicksCountedOnce).kind, Held);
    // Read when it answers visitors again at 240 ms, and so heard by 340 ms.
    for (sent, expected) in [(340, Held), (341, Violated)] {
        let again = busy().exchange(repeated(sent));
        assert_eq!(again.judged_by(&ClicksCountedOnce).kind, expected, "{sent}");
    }
    assert_eq!(busy().exchange(repeated(900)).judged_by(&ClicksCountedOnce).kind, Violated);
}

#[test]
fn an_excuse_ends_where_its_cause_does() {
    // Asked at 1,000 ms, and so perhaps for a process that ended after 900 ms.
    for (died, expected) in [(900, Violated), (901, Held), (1_999, Held), (2_000, Violated)] {
        let history = retried().exchanges([sent_click("a", 1_000, 202), repeated(2_000)]);
        assert_eq!(history.killed(died).judged_by(&ClicksCountedOnce).kind, expected, "{died}");
    }
    // An answer within twice the tolerance is too quick to be given up.
    let next = |at_ms, conn| Exchange { conn, conn_seq: 1, ..repeated(at_ms) };
    for (answered, expected) in [(200, Violated), (201, Held)] {
        let slow = Exchange { t_w: Some(Moment::from_ms(answered)), ..sent_click("a", 0, 202) };
        check([slow, next(900, 2)], expected);
    }
    // While the harness itself was late by 300 ms nobody is blamed.
    for (sent, expected) in [(405, Held), (406, Violated)] {
        let history = retried().exchanges([sent_click("a", 0, 202), repeated(sent)]).lag(50, 300);
        let verdict = history.judged_by(&ClicksCountedOnce);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }
    // Who wakes up at 5,000 ms has read all of it by 5,100 ms.
    for (sent, expected) in [(5_100, Held), (5_101, Violated)] {
        let history = retried().exchanges([sent_click("a", 0, 202), next(sent, 1)]);
        let verdict = history.paused(2, 5_000).judged_by(&ClicksCountedOnce);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }
}

#[test]
fn a_2xx_that_came_to_a_target_without_a_processor_shows_nothing_unless_its_connection_lives_on() {
    let next = |conn| Exchange { conn, conn_seq: 1, ..repeated(900) };
    let judged = |history: History| history.judged_by(&ClicksCountedOnce).kind;
    let sent = |second: Exchange| retried().exchanges([sent_click("a", 0, 202), second]);
    assert_eq!(judged(sent(next(2))), Violated);
    assert_eq!(judged(sent(next(2)).starved(0, 500, 400)), Inconclusive);
    assert_eq!(judged(sent(next(1)).starved(0, 500, 400)), Violated);
    // From δ before its request came to δ after its answer.
    let late = |from, until| {
        let first = sent_click("a", 1_000, 202);
        let again = Exchange { conn: 2, conn_seq: 1, ..repeated(2_500) };
        judged(retried().exchanges([first, again]).starved(from, until, until - from))
    };
    for (span, expected) in [
        ((600, 899), Violated),
        ((600, 900), Inconclusive),
        ((1_105, 1_405), Inconclusive),
        ((1_106, 1_406), Violated),
    ] {
        assert_eq!(late(span.0, span.1), expected, "{span:?}");
    }
    // With the answer it took no longer than an answer that nobody gives up, or just so.
    for (waited, expected) in [(195, Violated), (196, Inconclusive)] {
        let verdict = sent(next(2)).starved(0, 250, waited).judged_by(&ClicksCountedOnce);
        assert_eq!(verdict.kind, expected, "{waited}");
    }
    // Nothing was sent again: what was starved is no matter.
    assert_eq!(judged(retried().exchange(sent_click("a", 0, 202)).starved(0, 500, 400)), Held);
}

#[test]
fn of_one_that_may_be_unread_and_one_that_was_read_the_second_counts() {
    let first = sent_click("a", 0, 202);
    let again = |at_ms, conn| Exchange { conn, conn_seq: 1, ..repeated(at_ms) };
    let history = || retried().exchanges([first.clone(), again(2_000, 2)]).starved(0, 500, 400);
    let verdict = history().judged_by(&ClicksCountedOnce);
    assert_eq!(verdict.kind, Inconclusive);
    let reason = "1 click was sent again after a definite 2xx that came while the target had no processor: \
                  it may have given up before it could read that";
    assert_eq!(verdict.reason.as_deref(), Some(reason));
    let read = history().exchange(again(4_000, 3)).judged_by(&ClicksCountedOnce);
    assert_eq!(read.kind, Violated);
    // Another click that was sent again while there were processors is enough.
    let other = [sent_click("b", 9_000, 202), repeated_as("b", 9_900)];
    assert_eq!(history().exchanges(other).judged_by(&ClicksCountedOnce).kind, Violated);
    // Whoever repeats it, too, is a reason of its own.
    let twice = history().operations([click("a", 0, 5), click("a", 500, 505)]);
    assert_eq!(twice.judged_by(&ClicksCountedOnce).kind, Held);
}
