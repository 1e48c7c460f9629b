use super::effects::testing::page_of;
use super::*;
use crate::testing::{History, delivery, forgery, page_changed, shaped_by, webhook_rules};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::clock::Moment;

/// What a sound receiver answers to everything that the minimums ask for.
fn sound() -> Vec<Delivery> {
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

fn history(deliveries: Vec<Delivery>) -> History {
    let mut history = History::over(&[]).sent(deliveries);
    history.case.plan.faults = webhook_rules();
    history.case.harness.closed = Moment::from_ms(900_000);
    history
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
    assert_eq!(judged(sound()), Held);
    for status in [400, 403, 410, 422, 500, 503] {
        assert_eq!(answering("body-bit", status), Held, "{status}");
    }
    // Both ways are open, and a second more or less is nobody's fault.
    assert_eq!(answering("upper-case-hex", 200), Held);
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
        assert_eq!(judged(fewer), Inconclusive, "{rule}");
    }
    let copies = |one: &Delivery| one.id.starts_with('c') && one.attempt == 2;
    assert_eq!(judged(all.iter().filter(|one| !copies(one)).cloned().collect()), Inconclusive);
    assert_eq!(judged(Vec::new()), Inconclusive);
    let mut broken_off = history(all);
    broken_off.case.harness.outcome = None;
    assert_eq!(broken_off.judged_by(&WebhookSignature).kind, Inconclusive);
}

/// Where something comes about a page, and what the service does then.
#[derive(Clone, Copy)]
enum What {
    Genuine,
    Control,
    Forged,
    Copies,
}

/// So many pages of each kind, whose owners are visited; whether the service asks for the page after what
/// comes is for the caller to say, given the kind and the number.
fn storm(asks: impl Fn(What, usize) -> bool) -> History {
    let kinds = [(What::Genuine, 12), (What::Control, 22), (What::Forged, 12), (What::Copies, 8)];
    let mut history = history(sound());
    let all = kinds.into_iter().flat_map(|(what, count)| (0..count).map(move |n| (what, n)));
    for (place, (what, n)) in all.enumerate() {
        let at_ms = 40_000 + place as u64 * 10_000;
        let handle = format!("page-{place}");
        let hit = asks(what, n);
        // A copy can only be told from the first when the first has had its effect.
        let calls: &[u64] = match (what, hit) {
            (What::Copies, true) => &[450, 1_150],
            (What::Copies, false) | (_, true) => &[450],
            (_, false) => &[],
        };
        history = page_of(history, &handle, at_ms, calls);
        let sent =
            |ms: u64, status| page_changed(&format!("m{place}"), &handle, at_ms + ms, status);
        let sent = match what {
            What::Genuine => vec![sent(400, 204)],
            What::Control => Vec::new(),
            What::Forged => {
                let again = Delivery { attempt: 2, ..shaped_by("body-bit", sent(900, 401)) };
                vec![shaped_by("body-bit", sent(400, 401)), again]
            }
            What::Copies => {
                vec![sent(400, 204), Delivery { attempt: 2, ..sent(1_000, 204) }]
            }
        };
        history = history.sent(sent);
    }
    history
}

fn stormed(asks: impl Fn(What, usize) -> bool) -> (VerdictKind, String) {
    let verdict = storm(asks).judged_by(&WebhookSignature);
    (verdict.kind, verdict.observed)
}

#[test]
fn what_is_refused_and_acted_upon_violates_where_effects_can_be_seen() {
    let sound = |what: What| matches!(what, What::Genuine);
    let (kind, observed) = stormed(|what, _| sound(what));
    assert_eq!(kind, Held, "{observed}");
    assert!(
        observed.contains("12 of 12 genuine") && observed.contains("0 of 22 other"),
        "{observed}"
    );
    assert!(observed.contains("0 of 12 that nobody"), "{observed}");
    assert!(observed.contains("0 of 8 copies"), "{observed}");
    assert_eq!(stormed(|what, _| sound(what) || matches!(what, What::Forged)).0, Violated);
    assert_eq!(stormed(|what, _| sound(what) || matches!(what, What::Copies)).0, Violated);
    // One or two may be chance.
    assert_eq!(stormed(|what, n| sound(what) || n < 2 && !matches!(what, What::Control)).0, Held);
    assert_eq!(stormed(|what, n| sound(what) || n < 1).0, Held);
}

#[test]
fn where_effects_cannot_be_seen_statuses_alone_count() {
    for asks in [
        // Never, always, seldom, and of its own accord.
        (|_, _| false) as fn(What, usize) -> bool,
        |_, _| true,
        |what, n| matches!(what, What::Genuine) && n < 9 || matches!(what, What::Forged),
        |what, n| !matches!(what, What::Control) || n < 2,
    ] {
        let (kind, observed) = stormed(asks);
        assert_eq!(kind, Held, "{observed}");
        assert!(observed.contains("statuses only"), "{observed}");
    }
}

/// The rest of an earlier fill, what comes too late, a page that is old, and a service that stands still.
#[test]
fn what_something_else_explains_is_no_effect() {
    let forged_too = |what: What, _| matches!(what, What::Genuine | What::Forged);
    assert_eq!(storm(forged_too).judged_by(&WebhookSignature).kind, Violated);
    let mut as_links = storm(forged_too);
    for call in as_links.judged().iter_mut().filter(|call| call.t_req.0 % 10_000_000_000 != 0) {
        call.route = mock_server::contract::Route::ProfileLinks;
    }
    assert_eq!(as_links.judged_by(&WebhookSignature).kind, Held);
    let mut late = storm(forged_too);
    for call in late.judged().iter_mut().filter(|call| call.t_req.0 % 10_000_000_000 != 0) {
        call.t_req = call.t_req.plus(std::time::Duration::from_millis(1_700));
    }
    assert_eq!(late.judged_by(&WebhookSignature).kind, Held);
    let mut old = storm(forged_too);
    old.case.contract.cache.max_age_s = 1;
    assert_eq!(old.judged_by(&WebhookSignature).kind, Held);
    let mut unvisited = storm(forged_too);
    unvisited.operations.clear();
    assert_eq!(unvisited.judged_by(&WebhookSignature).kind, Held);
    let asleep = storm(forged_too).paused(40_100, 890_000);
    assert_eq!(asleep.judged_by(&WebhookSignature).kind, Held);
}
