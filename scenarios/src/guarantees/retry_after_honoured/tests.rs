//! Tiny histories of waits, kept and broken, for `retry-after-honoured`.

use super::*;
use crate::testing::{History, asked_to_wait, page, read, sent_batch};
use crate::verdict::VerdictKind::*;
use mock_server::history::exchange::{Exchange, RetryAfter};

fn dated(mut exchange: Exchange, until_ms: u64) -> Exchange {
    exchange.retry_after = Some(RetryAfter {
        value: "Thu, 01 Jan 2026 00:00:07 GMT".into(),
        form: RetryAfterForm::Date,
        until: Some(Moment::from_ms(until_ms)),
    });
    exchange
}

fn check(history: History, expected: crate::verdict::VerdictKind) -> Verdict {
    let verdict = history.judged_by(&RetryAfterHonoured);
    assert_eq!(verdict.kind, expected, "{}", verdict.observed);
    verdict
}

#[test]
fn waiting_as_told_in_both_forms_holds() {
    let history = History::over(&[])
        .exchange(asked_to_wait("ann", 1_000, 429, 2))
        .exchange(read("ann", 3_010))
        .exchange(dated(asked_to_wait("ann", 4_000, 503, 0), 7_000))
        .exchange(read("ann", 7_000));
    let verdict = check(history, Held);
    assert_eq!(verdict.seen, 2);
    assert!(verdict.observed.contains("1 × 429 seconds, 1 × 503 date"), "{}", verdict.observed);
}

#[test]
fn each_form_and_a_long_wait_that_the_plan_holds_must_be_met_with_demand() {
    let history = |waits: &[(u16, u64)]| {
        let mut history = History::over(&[]);
        for (n, (status, seconds)) in waits.iter().enumerate() {
            let at = 1_000 + n as u64 * 20_000;
            history = history
                .exchange(asked_to_wait("ann", at, *status, *seconds))
                .exchange(read("ann", at + seconds * 1_000 + 10));
        }
        let codes = vec![429, 503];
        let retry_after = vec![RetryAfterSpec::Seconds { s: 8 }];
        history.case.plan.faults = vec![mock_server::faults::Rule {
            id: "waits".into(),
            window: mock_server::faults::Window { from_ms: 0, until_ms: 1 },
            matcher: mock_server::faults::Matcher::default(),
            pick: mock_server::faults::Pick::All,
            fault: Fault::Status(mock_server::faults::Status { codes, retry_after }),
        }];
        history
    };
    check(history(&[(429, 8), (503, 2)]), Held);
    let one = check(history(&[(429, 8)]), Inconclusive);
    assert!(one.reason.unwrap().starts_with("forms of Retry-After with demand to wait: 1 seen"));
    let short = check(history(&[(429, 2), (503, 2)]), Inconclusive);
    assert!(short.reason.unwrap().starts_with("waits of 7 s or more with demand: 0 seen"));
    // What is told in 7 s names a moment that is less than 7 s away, and 0 s no wait at all.
    let only = |s| {
        let mut history = history(&[(429, 2), (503, 2)]);
        let Fault::Status(status) = &mut history.case.plan.faults[0].fault else { unreachable!() };
        status.retry_after = vec![RetryAfterSpec::Seconds { s }];
        history
    };
    check(only(7), Held);
    let mut none = only(0);
    none.judged().truncate(2);
    check(none, Held);
}

#[test]
fn giving_up_while_visitors_ask_holds() {
    let history = History::over(&[])
        .exchange(asked_to_wait("ann", 1_000, 429, 2))
        .operation(page("bob", 2_000, 2_005, "-"));
    check(history, Held);
}

#[test]
fn the_same_request_too_early_violates() {
    let history = History::over(&[])
        .exchange(dated(asked_to_wait("ann", 1_000, 503, 0), 4_000))
        .exchange(read("ann", 2_500));
    let verdict = check(history, Violated);
    assert!(verdict.witnesses[0].what.contains("1.5 s too early"));
}

#[test]
fn another_request_with_the_same_key_violates_only_in_token_scope() {
    let history = |scope| {
        let mut history = History::over(&[])
            .exchange(asked_to_wait("ann", 1_000, 429, 2))
            .exchange(read("bob", 2_000))
            .exchange(read("ann", 3_500));
        history.case.declared.retry_after_scope = scope;
        history
    };
    check(history(RetryAfterScope::Token), Violated);
    check(history(RetryAfterScope::Request), Held);
    let mut other = history(RetryAfterScope::Token);
    std::sync::Arc::make_mut(&mut other.judged()[1].head).token = "test".into();
    check(other, Held);
}

#[test]
fn a_batch_repeats_a_refused_one_only_with_its_clicks() {
    let history = |key: Option<&str>, ids: &[&str]| {
        let answer = asked_to_wait("ann", 1_000, 429, 2);
        let keyed = |exchange| Exchange { idempotency_key: key.map(Into::into), ..exchange };
        let refused = keyed(sent_batch(&["a", "b"], 1_000, 429));
        let mut history = History::over(&[])
            .exchange(Exchange { retry_after: answer.retry_after, ..refused })
            .exchange(sent_batch(ids, 2_000, 202))
            .exchange(keyed(sent_batch(&["a", "b"], 3_500, 202)));
        history.case.declared.retry_after_scope = RetryAfterScope::Request;
        history
    };
    for key in [None, Some("k1")] {
        let unread = |mut history: History| {
            let read = &mut history.judged()[1];
            (read.clicks, read.idempotency_key) = (Box::default(), key.map(Into::into));
            history
        };
        check(unread(history(key, &["c", "d"])), Violated); // the same key, or nothing that tells them apart
        check(history(key, &["c", "d"]), Held);
        check(history(key, &["c", "b"]), Violated);
        check(history(key, &["a", "b"]), Violated);
    }
}

#[test]
fn a_rotation_frees_the_new_key_and_not_the_old_one() {
    let history = |second: &str, label: &str| {
        let keyed = |key: &str, one| Exchange { key_id: Some(key.into()), ..one };
        let mut history = History::over(&[])
            .exchange(keyed("k1", asked_to_wait("ann", 1_000, 429, 2)))
            .exchange(Exchange { token: label.into(), ..keyed(second, read("bob", 2_000)) })
            .exchange(read("ann", 3_500));
        history.case.declared.retry_after_scope = RetryAfterScope::Token;
        history
    };
    check(history("k2", "live"), Held);
    check(history("k1", "previous"), Violated);
}

#[test]
fn attempts_on_their_way_and_a_restart_excuse() {
    let on_the_way = History::over(&[])
        .exchange(asked_to_wait("ann", 1_000, 429, 2))
        .exchange(read("bob", 1_200))
        .exchange(read("ann", 3_500));
    let on_the_way = on_the_way.exchange(read("ann", 500)).exchange(read("ann", 1_005));
    let seen = check(on_the_way, Held).observed;
    assert!(seen.contains("excused: 1 already on their way, 0 after a restart, 0 while"), "{seen}");
    let forgotten = History::over(&[])
        .exchange(asked_to_wait("ann", 1_000, 429, 2))
        .exchange(read("ann", 2_000))
        .exchange(read("ann", 3_500));
    let seen = check(forgotten.killed(1_500), Held).observed;
    assert!(seen.contains("excused: 0 already on their way, 1 after a restart, 0 while"), "{seen}");
}

#[test]
fn an_answer_or_an_attempt_in_the_harness_own_delay_proves_nothing() {
    let told = || waiting(0).exchanges(two_at(2_000));
    check(told(), Violated);
    for at in [1_100, 2_005] {
        let seen = check(told().lag(at, 1_000), Held).observed;
        assert!(seen.contains("0 after a restart, 2 while the harness was late"), "{seen}");
    }
    check(told().lag(4_000, 1_000), Violated);
}

#[test]
fn the_longest_of_several_waits_is_the_one_that_was_broken() {
    let broken = |until: [u64; 2]| {
        let told = [1_000, 1_100].map(|at| asked_to_wait("ann", at, 503, 0));
        let told = told.into_iter().zip(until).map(|(told, until)| dated(told, until));
        let history = History::over(&[]).exchanges(told).exchanges(two_at(2_000));
        let verdict = check(history.exchange(read("ann", 9_500)), Violated);
        verdict.witnesses[0].story[0].clone()
    };
    for (until, told) in
        [([8_000, 5_000], "1.000"), ([5_000, 8_000], "1.100"), ([8_000; 2], "1.000")]
    {
        let story = broken(until);
        assert!(story.trim_start().starts_with(told), "{story}");
    }
}

#[test]
fn a_wait_that_is_over_when_it_must_be_obeyed_shows_nothing() {
    for (until, expected) in [(1_255, Inconclusive), (1_256, Held)] {
        let told = dated(asked_to_wait("ann", 1_000, 503, 0), until);
        check(History::over(&[]).exchanges([told, read("ann", 2_000)]), expected);
    }
}

#[test]
fn forms_that_name_no_time_to_come_are_not_judged() {
    let wait = |value: &str, form, until| {
        let after = RetryAfter { value: value.into(), form, until };
        Exchange { retry_after: Some(after), ..asked_to_wait("ann", 1_000, 429, 2) }
    };
    let malformed = wait("soon", RetryAfterForm::Malformed, None);
    let huge = wait("99999999999999999999", RetryAfterForm::Seconds, Some(NEVER));
    let past = wait("long ago", RetryAfterForm::Date, Some(Moment::from_ms(10)));
    for wait in [malformed, huge, past] {
        let history = History::over(&[]).exchange(wait).exchange(read("ann", 1_500));
        check(history, Inconclusive);
    }
}

#[test]
fn an_answer_that_came_in_a_pause_is_read_after_it() {
    let history = |sent| {
        History::over(&[])
            .exchange(asked_to_wait("ann", 1_000, 429, 2))
            .exchange(read("bob", sent))
            .exchange(read("ann", 3_500))
    };
    check(history(1_690).paused(1_050, 1_500), Held); // let go before the pause
    check(history(1_710).paused(1_050, 1_500), Inconclusive);
    check(history(1_910).paused(1_050, 1_500), Violated);
    check(history(1_690).paused(1_300, 1_500), Violated); // read before the pause
}

#[test]
fn without_an_answer_to_wait_for_or_without_demand_it_is_inconclusive() {
    check(History::over(&[]).exchange(read("ann", 1_000)), Inconclusive);
    check(History::over(&[]).exchange(asked_to_wait("ann", 1_000, 429, 2)), Inconclusive);
    let cut = Exchange { end: End::Truncated, ..asked_to_wait("ann", 1_000, 429, 2) };
    check(History::over(&[]).exchange(cut).exchange(read("ann", 1_500)), Inconclusive);
}

#[test]
fn one_attempt_that_may_have_left_before_the_answer_was_read_is_a_doubt_and_two_are_not() {
    let told = || {
        History::over(&[])
            .exchange(asked_to_wait("ann", 1_000, 503, 5))
            .exchange(read("ann", 6_010))
            .exchange(asked_to_wait("ann", 7_000, 429, 5))
            .exchange(read("ann", 12_010))
    };
    check(told(), Held);
    check(told().exchange(read("bob", 1_200)), Held);
    let doubt = check(told().exchange(read("bob", 1_206)), Inconclusive);
    assert!(doubt.reason.unwrap().starts_with("a single attempt came 201 ms after it was told"));
    check(told().exchange(read("bob", 1_399)), Inconclusive);
    check(told().exchange(read("bob", 1_410)), Violated);
    check(told().exchange(read("bob", 1_206)).exchange(read("carl", 1_210)), Violated);
}

#[test]
fn who_answers_nobody_has_not_read_the_answer_either() {
    let told = || {
        History::over(&[])
            .exchange(asked_to_wait("ann", 1_000, 503, 5))
            .exchange(read("bob", 1_500))
            .exchange(read("carl", 1_510))
            .exchange(read("ann", 6_010))
    };
    let waited = |sent, first| page("dora", sent, first, "v0");
    check(told(), Violated);
    check(told().operation(waited(1_050, 1_450)), Held);
    let others = (1_050..1_450).step_by(10).map(|at| waited(at, at + 1));
    check(told().operation(waited(1_050, 1_450)).operations(others), Violated);
}

fn waiting(wait_ms: u64) -> History {
    History::over(&[])
        .exchange(asked_to_wait("ann", 1_000, 503, 8))
        .exchange(read("ann", 9_010))
        .declaring(|declared| declared.limiter_wait_ms = wait_ms)
}

fn two_at(at_ms: u64) -> [Exchange; 2] {
    [read("bob", at_ms), read("carl", at_ms + 10)]
}

#[test]
fn what_had_a_permit_may_queue_at_a_limiter_that_lets_one_pass_after_the_other() {
    check(waiting(0).exchanges(two_at(2_000)), Violated);
    check(waiting(2_000).exchanges(two_at(3_190)), Held);
    check(waiting(2_000).exchanges([read("bob", 3_290)]), Inconclusive);
    check(waiting(2_000).exchanges(two_at(3_290)), Violated);
}

#[test]
fn who_computes_when_its_wait_for_the_limiter_ends_leaves_after_that() {
    let busy = |from, until| page("dora", from, until, "v0");
    let after = |view, at| check(waiting(2_000).operation(view).exchanges(two_at(at)), Held);
    after(busy(2_900, 3_500), 3_690);
    let early = waiting(2_000).exchanges(two_at(3_690));
    check(early.operation(busy(2_000, 2_600)), Violated);
    let pause = waiting(2_000).exchanges(two_at(3_690)).paused(2_900, 3_500);
    check(pause, Held);
}

#[test]
fn waits_no_longer_than_that_for_the_limiter_show_nothing() {
    let verdict = |wait| {
        let history = History::over(&[])
            .exchange(asked_to_wait("ann", 1_000, 429, 2))
            .exchange(read("ann", 3_010));
        history.declaring(|declared| declared.limiter_wait_ms = wait)
    };
    check(verdict(1_700), Held);
    check(verdict(1_800), Inconclusive);
}

#[test]
fn of_several_processes_one_may_compute_while_others_answer() {
    let history = |instances| {
        let others = (1_050..1_450).step_by(10).map(|at| page("dora", at, at + 1, "v0"));
        let history = waiting(0).operations(others).operation(page("eve", 1_050, 1_450, "v0"));
        history.exchanges(two_at(1_500)).declaring(|declared| declared.instances = instances)
    };
    check(history(1), Violated);
    check(history(2), Held);
}
