use super::*;
use crate::testing::{
    FRONT, History, asked_to_wait, lists_webhooks, refused, registers, webhook_id,
};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::history::exchange::{End, Exchange};

fn url(path: &str) -> String {
    format!("{FRONT}{path}")
}

fn own() -> String {
    url("/webhooks/linktree")
}

/// Ready at 1 s, registered after a failure; stopped at 100 s, ready again at 101 s with what `again` does.
/// At time scale 1 a registration is due after 30 s.
fn restarted(again: impl IntoIterator<Item = Exchange>) -> History {
    let history = History::over(&[])
        .standing(1_000)
        .exchanges([lists_webhooks(1_100), registers(&own(), 1_200, 503)])
        .exchange(registers(&own(), 2_500, 201))
        .looked_at(&own(), 2_600, 405)
        .terminated(100_000, 100_500, 101_000)
        .exchanges(again);
    with_end(history, 400_000)
}

fn with_end(mut history: History, closed_ms: u64) -> History {
    history.case.harness.closed = Moment::from_ms(closed_ms);
    history.looked_at(&own(), closed_ms - 1_000, 405)
}

fn judged(history: History) -> VerdictKind {
    history.judged_by(&WebhookRegistered).kind
}

#[test]
fn whoever_registers_or_finds_itself_registered_holds() {
    let verdict = restarted([lists_webhooks(101_100)]).judged_by(&WebhookRegistered);
    assert_eq!(verdict.kind, Held);
    let slowest = crate::testing::measured(&verdict, "slowest registration, without waits");
    // Until the first call failed 200 ms had passed, and nothing after it counts.
    assert_eq!(slowest, Some(200_000));
    // A start that ended before it was due is none.
    let history = History::over(&[])
        .standing(1_000)
        .terminated(10_000, 10_100, 10_200)
        .exchanges([registers(&own(), 10_300, 503), registers(&own(), 11_500, 201)])
        .looked_at(&own(), 11_600, 405)
        .terminated(100_000, 100_500, 101_000)
        .exchange(lists_webhooks(101_100));
    assert_eq!(judged(with_end(history, 400_000)), Held);
    assert_eq!(judged(restarted([registers(&own(), 101_100, 200)])), Held);
    let localhost = "http://localhost:8080/webhooks/linktree";
    assert_eq!(judged(restarted([registers(localhost, 101_100, 201)])), Held);
    // It registers before it says that it is ready.
    assert_eq!(judged(restarted([registers(&own(), 100_990, 200)])), Held);
    // The last moment.
    assert_eq!(judged(restarted([registers(&own(), 131_000, 200)])), Held);
}

#[test]
fn whoever_does_not_or_registers_something_else_violates() {
    assert_eq!(judged(restarted([])), Violated);
    assert_eq!(judged(restarted([registers(&own(), 101_100, 422)])), Violated);
    assert_eq!(judged(restarted([registers(&own(), 131_200, 200)])), Violated);
    // What fails once it is too late is no excuse, nor is a list that was not shown.
    let late = [registers(&own(), 140_000, 200), refused("ann", 140_005, 503)];
    assert_eq!(judged(restarted(late)), Violated);
    let unseen = Exchange { status: Some(503), ..lists_webhooks(101_100) };
    assert_eq!(judged(restarted([unseen])), Violated);
    for other in ["/webhooks/linktree/2", "/", "/webhooks/linktree?x=1"] {
        assert_eq!(judged(restarted([registers(&url(other), 101_100, 201)])), Violated, "{other}");
    }
    let mut no_clicks = registers(&own(), 101_100, 200);
    no_clicks.registration.as_mut().unwrap().events = vec![WebhookEvent::ProfileUpdated];
    assert_eq!(judged(restarted([no_clicks])), Violated);
}

#[test]
fn what_was_forgotten_or_removed_is_listed_no_more() {
    let mut forgotten = restarted([lists_webhooks(101_100)]);
    forgotten.case.linktree.forgotten = vec![Moment::from_ms(100_700)];
    assert_eq!(judged(forgotten), Violated);
    let mut anew = restarted([lists_webhooks(101_100), registers(&own(), 101_200, 201)]);
    anew.case.linktree.forgotten = vec![Moment::from_ms(100_700)];
    assert_eq!(judged(anew), Held);
    let removes = |ms| Exchange {
        method: "DELETE".into(),
        target: format!("/v1/webhooks/{}", webhook_id(&own())),
        status: Some(204),
        ..lists_webhooks(ms)
    };
    assert_eq!(judged(restarted([removes(101_050), lists_webhooks(101_100)])), Violated);
    let failed = Exchange { status: Some(503), ..removes(101_050) };
    assert_eq!(judged(restarted([failed, lists_webhooks(101_100)])), Held);
}

#[test]
fn failures_and_told_waits_leave_more_time() {
    let later =
        |failed: Exchange, at_ms| judged(restarted([failed, registers(&own(), at_ms, 200)]));
    // The breaker may be open for 30 s, and nobody calls while it is.
    assert_eq!(later(registers(&own(), 101_100, 503), 160_000), Held);
    assert_eq!(later(refused("ann", 101_100, 503), 160_000), Held);
    // Between two attempts there may be as much as the declared longest pause.
    let cut_off = Exchange { end: End::Truncated, ..registers(&own(), 101_100, 201) };
    for failed in [registers(&own(), 101_100, 503), cut_off.clone()] {
        let history = restarted([failed, registers(&own(), 200_000, 200)]);
        assert_eq!(judged(history.declaring(|of| of.backoff_cap_ms = 90_000)), Held);
    }
    assert_eq!(judged(restarted([cut_off])), Violated);
    assert_eq!(later(asked_to_wait("ann", 101_100, 429, 100), 230_000), Held);
    // Whoever asked just before was refused by itself, and makes a pause.
    assert_eq!(later(asked_to_wait("ann", 101_100, 429, 100), 261_000), Held);
    assert_eq!(later(asked_to_wait("ann", 101_100, 429, 100), 262_000), Violated);
    // A failure that was over for long before the start is none.
    assert_eq!(later(refused("ann", 50_000, 503), 160_000), Violated);
    // A scope that is missing is no failure of Linktree.
    assert_eq!(judged(restarted([registers(&own(), 101_100, 403)])), Violated);
}

#[test]
fn a_breaker_that_may_be_open_leaves_a_pause_after_it() {
    // The last of them is known at 105.005 s, the breaker open until 135.2 s, and the pause over at 165.2 s.
    let after = |failures: u64, at_ms| {
        let row = (0..failures).map(|n| refused("ann", 105_000 - n * 100, 503));
        judged(restarted(row).exchange(registers(&own(), at_ms, 200)))
    };
    assert_eq!(after(5, 190_000), Held);
    assert_eq!(after(5, 193_000), Violated);
    // Fewer do not open it.
    assert_eq!(after(4, 190_000), Violated);
    // Who began when it was over has met no open breaker.
    let before = (0..5).map(|n| refused("ann", 60_000 + n * 100, 503));
    let history = restarted(before).exchange(registers(&own(), 140_000, 200));
    assert_eq!(judged(history), Violated);
}

#[test]
fn of_a_start_that_asked_for_nothing_it_is_said_what_to_see_to_first() {
    let said = |again: Vec<Exchange>| {
        let verdict = restarted(again).judged_by(&WebhookRegistered);
        let story = &verdict.witnesses[0].story;
        story.iter().any(|line| line.contains("see first that it is told where it is reached"))
    };
    assert!(said(vec![]));
    // Whoever asked knows where it is.
    assert!(!said(vec![registers(&own(), 101_100, 422)]));
}

#[test]
fn an_address_that_does_not_answer_violates_unless_it_was_removed() {
    let elsewhere = url("/yesterday");
    for (status, expected) in [(404, Violated), (410, Violated), (500, Violated), (401, Held)] {
        let history =
            restarted([registers(&elsewhere, 101_050, 201), registers(&own(), 101_100, 200)]);
        assert_eq!(judged(history.looked_at(&elsewhere, 102_000, status)), expected, "{status}");
    }
    let nobody = restarted([lists_webhooks(101_100)]).looked_at(&own(), 399_500, 0);
    assert_eq!(judged(nobody), Violated);
    let others = "http://127.0.0.1:9/hook";
    let not_ours = restarted([registers(others, 101_050, 201), lists_webhooks(101_100)]);
    assert_eq!(judged(not_ours.looked_at(others, 101_060, 404)), Held);
    let made = registers(&elsewhere, 101_050, 201);
    let removed = Exchange {
        method: "DELETE".into(),
        target: format!("/v1/webhooks/{}", webhook_id(&elsewhere)),
        status: Some(204),
        ..lists_webhooks(101_070)
    };
    let history = restarted([made, removed, lists_webhooks(101_100)]);
    assert_eq!(judged(history.looked_at(&elsewhere, 101_060, 404)), Held);
    // Nobody was there.
    let down = restarted([lists_webhooks(101_100)]).looked_at(&own(), 100_700, 0);
    assert_eq!(judged(down), Held);
    // It had only just come, or was about to go.
    for status in [0, 503] {
        let again = restarted([lists_webhooks(101_100)]).terminated(399_100, 399_200, 399_500);
        assert_eq!(judged(again.looked_at(&own(), 399_650, status)), Held, "{status}");
    }
}

#[test]
fn one_start_no_failure_or_no_look_is_too_little() {
    let once = History::over(&[])
        .standing(1_000)
        .exchanges([registers(&own(), 1_200, 503), registers(&own(), 2_500, 201)])
        .looked_at(&own(), 2_600, 405);
    assert_eq!(judged(with_end(once, 400_000)), Inconclusive);
    let mut well = restarted([lists_webhooks(101_100)]);
    well.case.linktree.registrations.retain(|call| call.status != Some(503));
    assert_eq!(judged(well), Inconclusive);
    let mut unseen = restarted([lists_webhooks(101_100)]);
    unseen.case.linktree.looks.truncate(1);
    assert_eq!(judged(unseen), Inconclusive);
    // The recording ended before it was due.
    let mut early = restarted([]);
    early.case.harness.closed = Moment::from_ms(120_000);
    assert_eq!(judged(early), Inconclusive);
    for (closed_ms, expected) in [(131_200, Inconclusive), (131_201, Violated)] {
        let mut history = restarted([]);
        history.case.harness.closed = Moment::from_ms(closed_ms);
        assert_eq!(judged(history), expected, "{closed_ms}");
    }
}
