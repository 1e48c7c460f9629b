use super::effects::CALIBRATING;
use super::effects::testing::page_of;
use super::*;
use crate::testing::{History, delivery, forgery, page_changed, shaped_by, webhook_rules};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::clock::Moment;

/// What a sound receiver answers to everything that the minimums ask for.
pub(super) fn sound() -> Vec<Delivery> {
    let mut all = Vec::new();
    let mut at_ms = 1_000;
    let mut send = |rule: &str, status: u16, times: u64| {
        for _ in 0..times {
            at_ms += 100;
            let sent = delivery(&format!("{rule}-{at_ms}"), "ann", at_ms, status);
            all.push(if rule.is_empty() { sent } else { shaped_by(rule, sent) });
        }
    };
    for how in Forgery::ALL {
        send(&forgery(how), 401, 2);
    }
    for rule in ["old", "new"] {
        send(rule, 400, 2);
    }
    for rule in
        ["stranger-first", "stranger-last", "unknown-versions", "reformat", "old-near", "new-near"]
    {
        send(rule, 204, 1);
    }
    send("", 200, 5);
    for n in 0..3 {
        let copy =
            |at_ms, attempt| Delivery { attempt, ..delivery(&format!("c{n}"), "ann", at_ms, 200) };
        all.extend([copy(10_000 + n * 100, 1), copy(10_700 + n * 100, 2)]);
    }
    all
}

/// These, and nothing that shows whether effects can be seen.
pub(super) fn bare(deliveries: Vec<Delivery>) -> History {
    let mut history = History::over(&[]).sent(deliveries);
    history.case.plan.faults = webhook_rules();
    history.case.harness.closed = Moment::from_ms(900_000);
    history
}

/// These, and what shows that no effect can be seen of this service.
fn history(deliveries: Vec<Delivery>) -> History {
    (0..CALIBRATING.least).fold(bare(deliveries), |history, n| {
        let (handle, at_ms) = (format!("seen-{n}"), 100_000 + n * 10_000);
        let sent = page_changed(&handle, &handle, at_ms + 400, 204);
        page_of(history, &handle, at_ms, &[]).sent([sent])
    })
}

fn judged(deliveries: Vec<Delivery>) -> VerdictKind {
    history(deliveries).judged_by(&WebhookSignature).kind
}

/// The sound answers, but for those to this rule.
fn answering(rule: &str, status: u16) -> VerdictKind {
    let mut all = sound();
    let of_rule = |one: &&mut Delivery| one.faults.iter().any(|mark| mark.rule == rule);
    all.iter_mut().filter(of_rule).for_each(|one| one.status = Some(status));
    judged(all)
}

#[test]
fn whoever_refuses_what_must_not_be_believed_and_accepts_the_rest_holds() {
    let verdict = history(sound()).judged_by(&WebhookSignature);
    assert_eq!(verdict.kind, Held);
    // All forgeries but one kind, and those off in time, twice each; and 22 genuine messages.
    assert_eq!(verdict.seen, 2 * (Forgery::ALL.len() as u64 - 1) + 4 + 22);
    for status in [400, 403, 410, 422, 500, 503] {
        assert_eq!(answering("body-bit", status), Held, "{status}");
    }
    let mut failing = sound();
    let of_rule = |one: &&mut Delivery| one.faults.iter().any(|mark| mark.rule == "body-bit");
    failing.iter_mut().filter(of_rule).for_each(|one| one.status = Some(500));
    let verdict = history(failing).judged_by(&WebhookSignature);
    assert!(verdict.observed.contains("2 were refused with 5xx"), "{}", verdict.observed);
    // Both ways are open, and a second more or less is nobody's fault.
    let mut upper_case = sound();
    let of_rule = |one: &&mut Delivery| one.faults.iter().any(|mark| mark.rule == "upper-case-hex");
    upper_case.iter_mut().filter(of_rule).for_each(|one| one.status = Some(200));
    let verdict = history(upper_case).judged_by(&WebhookSignature);
    assert_eq!(verdict.kind, Held);
    assert!(verdict.observed.contains("2 upper-case signatures"), "{}", verdict.observed);
    for (rule, status) in [("old-close", 200), ("new-close", 400)] {
        let close = shaped_by(rule, delivery("x", "ann", 20_000, status));
        assert_eq!(judged([sound(), vec![close]].concat()), Held);
    }
}

#[test]
fn whoever_believes_one_that_must_not_be_violates() {
    for how in Forgery::ALL.into_iter().filter(|how| *how != Forgery::UpperCaseHex) {
        assert_eq!(answering(&forgery(how), 204), Violated, "{how:?}");
        assert_eq!(answering(&forgery(how), 302), Violated, "{how:?}");
    }
    for rule in ["old", "new"] {
        assert_eq!(answering(rule, 200), Violated, "{rule}");
    }
}

#[test]
fn whoever_refuses_a_genuine_message_each_time_violates() {
    let tried = |rule: &str, statuses: &[u16]| {
        let attempts = (1..).zip(statuses).map(|(attempt, status)| {
            let sent = delivery("x", "ann", 30_000 + u64::from(attempt) * 500, *status);
            let sent = if rule.is_empty() { sent } else { shaped_by(rule, sent) };
            Delivery { attempt, ..sent }
        });
        [sound(), attempts.collect()].concat()
    };
    for rule in ["", "stranger-first", "unknown-versions", "reformat", "old-near", "new-near"] {
        assert_eq!(judged(tried(rule, &[401, 401])), Violated, "{rule}");
    }
    assert_eq!(judged(tried("", &[401, 200])), Held);
    assert_eq!(judged(tried("", &[401])), Held, "one attempt shows nothing");
    assert_eq!(judged(tried("", &[429, 503, 503])), Held, "it was busy");
    assert_eq!(judged(tried("", &[0, 0, 0])), Held, "nobody answered");
    for rule in ["not-json", "no-data"] {
        assert_eq!(judged(tried(rule, &[422, 422])), Held, "{rule}");
    }
    // A forgery that is followed by the genuine message.
    let mut followed = tried("body-bit", &[401, 401, 401]);
    followed.iter_mut().filter(|one| one.id == "x" && one.attempt > 1).for_each(|one| {
        one.authentic = true;
        one.faults.clear();
    });
    assert_eq!(judged(followed), Held);
    // It was not there.
    let down = history(tried("", &[401, 401])).terminated(30_000, 30_100, 32_000);
    assert_eq!(down.judged_by(&WebhookSignature).kind, Held);
}

#[test]
fn a_kind_that_is_missing_is_inconclusive() {
    let all = sound();
    let kinds: std::collections::BTreeSet<String> =
        all.iter().flat_map(|one| &one.faults).map(|mark| mark.rule.clone()).collect();
    let needed = |rule: &&String| {
        !["upper-case-hex", "reformat", "old-near", "new-near"].contains(&rule.as_str())
    };
    for rule in kinds.iter().filter(needed) {
        let mut fewer = all.clone();
        let place = fewer.iter().position(|one| one.faults.iter().any(|mark| mark.rule == *rule));
        fewer.remove(place.unwrap());
        let verdict = history(fewer).judged_by(&WebhookSignature);
        assert_eq!(verdict.kind, Inconclusive, "{rule}");
        let reason = verdict.reason.unwrap();
        assert_eq!(reason.contains("that were too old"), rule == "old", "{reason}");
        assert_eq!(reason.contains("that were too new"), rule == "new", "{reason}");
    }
    let copies = |one: &Delivery| one.id.starts_with('c') && one.attempt == 2;
    assert_eq!(judged(all.iter().filter(|one| !copies(one)).cloned().collect()), Inconclusive);
    assert_eq!(judged(Vec::new()), Inconclusive);
    let mut broken_off = history(all);
    broken_off.case.harness.outcome = None;
    assert_eq!(broken_off.judged_by(&WebhookSignature).kind, Inconclusive);
}
