//! Two rotations at time scale 1: at 100 s with an overlap of 70 s, and at 300 s without one.

use super::*;
use crate::history::{Click, Did};
use crate::observed::Figures;
use crate::plan::PhaseKind::{Control, Settle, Storm};
use crate::plan::{AlertKind, AlertName};
use crate::testing::{
    Decides, FIRST_KEY_AGE_MS, History, click, given_up, page, pushed, read, refused, resolved,
    rotated, scrape, sent_click, with_key,
};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::history::exchange::Exchange;
use mock_server::world::population::{Group, Population};

const ANN: &str = "ann-0001";

/// The number of the key that whoever picks up a key after 30 s calls with, and what it is then. Without
/// an overlap it is picked up once it was refused.
fn picked_up(ms: u64) -> (u64, &'static str) {
    match ms {
        0..100_000 => (0, "live"),
        100_000..130_000 => (0, "previous"),
        130_000..300_000 => (1, "live"),
        300_000..301_000 => (1, "revoked"),
        _ => (2, "live"),
    }
}

fn keyed(exchange: Exchange, key: (u64, &str)) -> Exchange {
    with_key(key.0, key.1, exchange)
}

/// What the metrics say at a second, with whole seconds.
fn age(second: u64) -> f64 {
    let ms = match picked_up(second * 1_000).0 {
        0 => FIRST_KEY_AGE_MS + second * 1_000 - 100_000,
        1 => second * 1_000 - 100_000,
        _ => second * 1_000 - 300_000,
    };
    std::time::Duration::from_millis(ms).as_secs_f64()
}

fn clicked(id: &str, at_ms: u64) -> Operation<'static> {
    let did = Did::Click(Click { event_id: id.to_owned().into(), payload: "p".into() });
    Operation { did, ..click("-", at_ms, at_ms + 5) }
}

/// Reads, views, clicks and scrapes, which go on as if nothing were, but for what `is_left_out`.
fn without(is_left_out: impl Fn(&Exchange) -> bool) -> History {
    let mut history = History::over(&[(Control, 0, 100), (Storm, 100, 400), (Settle, 400, 600)])
        .happened(rotated(1, 100_000, 70_000))
        .happened(rotated(2, 300_000, 0));
    let group =
        Group { prefix: "ann".into(), count: 99, min_links: 1, max_links: 2, ..Group::default() };
    history.case.plan.population = Population { groups: vec![group] };
    let mut calls = Vec::new();
    for second in (2..590).step_by(4) {
        let ms = second * 1_000;
        let key = picked_up(ms);
        if key.1 == "revoked" {
            calls.push(keyed(refused(ANN, ms, 401), key));
        }
        calls.push(keyed(read(ANN, ms + 20), picked_up(ms + 20)));
    }
    // At the moment of the second rotation.
    calls.push(keyed(refused(ANN, 300_100, 401), (1, "revoked")));
    calls.push(keyed(read(ANN, 300_120), (2, "live")));
    for second in (1..500).step_by(5) {
        let (ms, id) = (second * 1_000, format!("c{second}"));
        history = history.operation(clicked(&id, ms));
        let at = if ms == 301_000 { 301_500 } else { ms + 500 };
        calls.push(keyed(sent_click(&id, at, 202), picked_up(at)));
    }
    for second in (3..590).step_by(5) {
        let ms = second * 1_000;
        history = history.operation(page(ANN, ms, ms + 10, "v0"));
        let figures = Figures { key_age: Some(age(second)), ..Figures::default() };
        history = history.scrape(scrape(ms, figures));
    }
    calls.retain(|one| !is_left_out(one));
    history.exchanges(calls)
}

fn sound() -> History {
    without(|_| false)
}

/// So many rows of refused calls after the second rotation.
fn refused_in_rows(rows: u64) -> History {
    let row = |n: u64| {
        let at = 300_400 + n * 300;
        // Three that were under way together.
        [0, 30, 60].map(|ms| keyed(refused(ANN, at + ms, 401), (1, "revoked")))
    };
    without(|one| one.token == "revoked").exchanges((0..rows).flat_map(row))
}

pub(super) fn decided() -> Vec<Decides> {
    vec![
        Decides { bound: &REFUSALS, value: 2, history: || refused_in_rows(5) },
        Decides { bound: &OLD, value: 100 * 86_400_000, history: || told(sound(), 10_000) },
    ]
}

#[track_caller]
fn check(history: History, expected: VerdictKind) -> Verdict {
    let verdict = history.judged_by(&KeyRotation);
    assert_eq!(verdict.kind, expected, "{:?} {}", verdict.witnesses.first(), verdict.observed);
    verdict
}

#[test]
fn a_key_that_is_picked_up_holds() {
    let verdict = check(sound(), Held);
    assert!(verdict.observed.contains("2 rotations, 1 of them"), "{}", verdict.observed);
    let midst =
        "26 views of pages that were there and 26 clicks in the midst of it, 0 of the clicks";
    assert!(verdict.observed.contains(midst), "{}", verdict.observed);
    assert_eq!(verdict.seen, 2 + 26 + 26);
}

#[test]
fn a_key_that_is_never_picked_up_violates_at_the_pickup_and_at_its_end() {
    let mut history = sound();
    for one in history.judged().iter_mut().filter(|one| one.t_req >= Moment::from_ms(100_000)) {
        let token = if one.t_req < Moment::from_ms(170_000) { "previous" } else { "revoked" };
        let mut head = (*one.head).clone();
        (head.key_id, head.token) = (Some("key-0".into()), token.into());
        one.head = std::sync::Arc::new(head);
        one.status = one.status.map(|status| if token == "revoked" { 401 } else { status });
    }
    let verdict = check(history, Violated);
    let measured = |name| crate::testing::measured(&verdict, name);
    assert_eq!(measured("keys that were not picked up in time"), Some(1));
    assert!(measured("calls with a key that had ended").unwrap() > 20);
    let unused = |one: &&Witness| one.what == "key-1 was not in use yet";
    let witness = verdict.witnesses.iter().find(unused).unwrap();
    assert!(witness.story[1].ends_with("the new key had to be in use"), "{witness:?}");
}

#[test]
fn a_key_that_is_picked_up_too_late_violates_once() {
    let mut history = sound();
    let (from, until) = (Moment::from_ms(130_000), Moment::from_ms(165_000));
    for one in history.judged().iter_mut().filter(|one| from <= one.t_req && one.t_req < until) {
        let mut head = (*one.head).clone();
        (head.key_id, head.token) = (Some("key-0".into()), "previous".into());
        one.head = std::sync::Arc::new(head);
    }
    let verdict = check(history, Violated);
    let measured = |name| crate::testing::measured(&verdict, name);
    assert_eq!(measured("keys that were not picked up in time"), Some(1));
    assert_eq!(measured("calls with a key that had ended"), Some(0));
}

#[test]
fn with_an_overlap_no_call_comes_with_the_key_that_ended() {
    let late = |ms| sound().exchange(keyed(refused(ANN, ms, 401), (0, "revoked")));
    check(late(170_200), Held);
    check(late(170_201), Violated);
    check(late(170_300).paused(169_000, 170_250), Held);
    check(late(170_300).lag(170_000, 400), Held);
}

#[test]
fn after_a_revocation_a_few_rows_of_refusals_hold_and_more_are_a_storm() {
    check(refused_in_rows(5), Held);
    // Whoever calls when the refusal may be known calls in a row of its own.
    let twice = |apart: u64| {
        let row = |n: u64| {
            let at = 300_400 + n * 300;
            [0, apart].map(|ms| keyed(refused(ANN, at + ms, 401), (1, "revoked")))
        };
        without(|one| one.token == "revoked").exchanges((0..5).flat_map(row))
    };
    check(twice(105), Held);
    check(twice(106), Violated);
    let verdict = check(refused_in_rows(6), Violated);
    assert!(verdict.witnesses[0].what.starts_with("6 rows of calls"), "{verdict:?}");
    check(refused_in_rows(6).declaring(|of| of.instances = 2), Held);
    let late = |ms| sound().exchange(keyed(refused(ANN, ms, 401), (1, "revoked")));
    check(late(360_200), Held);
    check(late(360_201), Violated);
}

#[test]
fn a_page_that_was_there_is_shown_until_the_rotation_is_over() {
    let unserved = |ms| {
        let view = Operation { status: Some(503), ..page(ANN, ms, ms + 5, "-") };
        sound().operation(view)
    };
    check(unserved(99_000), Held);
    check(unserved(170_000), Violated);
    check(unserved(171_000), Held);
    check(unserved(360_000), Violated);
    check(unserved(361_000), Held);
    check(unserved(330_000).paused(329_990, 330_001), Held);
    let mut unknown = unserved(330_000);
    unknown.operations.last_mut().unwrap().handle = "ann-0002".into();
    check(unknown, Held);
    // Who is no creator of the plan has no page, and a click that is refused is none.
    let of = |handle: &'static str, status| Operation {
        status: Some(status),
        ..page(handle, if status == 200 { 90_000 } else { 330_000 }, 330_005, "v0")
    };
    check(sound().operations([of("zed-0001", 200), of("zed-0001", 503)]), Held);
    let refused = Operation { status: Some(503), ..clicked("refused", 330_000) };
    check(sound().operation(Operation { handle: ANN.into(), ..refused }), Held);
    check(sound().operation(Operation { status: Some(503), ..clicked("no", 150_000) }), Held);
}

#[test]
fn first_visits_are_served_in_an_overlap_as_they_were_before() {
    let visits = |before: u16, within: u16, count: u64| {
        let visit = |n: u64, ms: u64, status| Operation {
            status: Some(status),
            handle: format!("ann-000{n}").into(),
            ..page("-", ms, ms + 5, "v0")
        };
        let mut history = sound();
        for n in 2..7 {
            history = history.operation(visit(n, 50_000 + n, before));
        }
        history.operations((7..7 + count).map(|n| visit(n, 150_000 + n, within)))
    };
    let first = |verdict: Verdict| {
        let part = |part: &&str| part.contains("first visits");
        verdict.observed.split("; ").find(part).unwrap().to_owned()
    };
    assert_eq!(first(check(visits(200, 200, 3), Held)), "3 first visits of pages");
    assert_eq!(first(check(visits(503, 503, 3), Held)), "0 first visits of pages");
    let verdict = check(visits(200, 503, 3), Violated);
    let turn = &verdict.witnesses[0].story[0];
    assert!(turn.contains("key-1 takes the place of key-0, which is good until"), "{turn}");
    check(visits(200, 503, 2), Held);
}

#[test]
fn where_the_limiter_may_have_been_full_no_first_visit_is_judged() {
    use crate::guarantees::evidence::rate;
    let visit = |n: u64, ms: u64, status| Operation {
        status: Some(status),
        handle: format!("ann-000{n}").into(),
        ..page("-", ms, ms + 5, "v0")
    };
    for instances in [1, 2] {
        let history = |more: usize| {
            let history = sound()
                .declaring(|of| of.instances = instances as u32)
                .operations((2..7).map(|n| visit(n, 50_000 + n, 200)))
                .operations((7..10).map(|n| visit(n, 150_000, 503)))
                .exchange(keyed(read(ANN, 90_000), (0, "live")));
            let (from, until) = (Moment::from_ms(90_000), Moment::from_ms(150_005));
            let calls = history.case.linktree.exchanges.iter();
            let reads = calls.filter(|one| one.is_page_read());
            let known = reads.filter(|one| from <= one.t_req && one.t_req <= until).count();
            let pages = rate::cap(&history.case) - history.case.declared.click_slots as usize;
            let room = (pages * 3 / 4 / instances + more).saturating_sub(known);
            history.exchanges((0..room as u64).map(|n| keyed(read(ANN, 149_000 + n), (1, "live"))))
        };
        check(history(0), Violated);
        check(history(1), Held);
    }
}

#[test]
fn a_click_of_a_rotation_arrives_as_click_lag_promises() {
    let late = |at: u64| {
        let history = sound().operation(clicked("late", 150_000));
        history.exchange(keyed(sent_click("late", at, 202), (1, "live")))
    };
    check(late(210_100), Held);
    check(late(210_101), Violated);
    check(sound().operation(clicked("lost", 150_000)), Violated);
    // As long as the rotation goes on, and not where nobody knows what became of it.
    check(sound().operation(clicked("lost", 169_995)), Violated);
    check(sound().operation(clicked("lost", 169_996)), Held);
    let mut broken_off = sound().operation(clicked("lost", 150_000));
    broken_off.case.harness.outcome = None;
    assert_ne!(broken_off.judged_by(&KeyRotation).kind, Violated);
    // Without an overlap it waits until the new key must be known, and a breaker's open time.
    let revoked = |at: u64| {
        let history = sound().operation(clicked("late", 310_000));
        history.exchange(keyed(sent_click("late", at, 202), (2, "live")))
    };
    check(revoked(450_095), Held);
    check(revoked(450_096), Violated);
    // A refusal for the key's sake is none of the click.
    let refused = sound().operation(clicked("kept", 310_000));
    check(refused.exchange(keyed(sent_click("kept", 311_000, 401), (1, "revoked"))), Violated);
}

#[test]
fn the_age_is_that_of_a_key_in_use() {
    let aged_at = |ms: u64, age: f64| {
        let figures = Figures { key_age: Some(age), ..Figures::default() };
        sound().scrape(scrape(ms, figures))
    };
    let aged = |second: u64, age: f64| aged_at(second * 1_000, age);
    let old = |second: f64| 91.0 * 86_400.0 + second - 100.0;
    check(aged(50, old(50.0)), Held);
    check(aged(50, old(50.0 + 62.0)), Held);
    check(aged(50, old(50.0 + 63.0)), Violated);
    check(aged(50, old(50.0 - 62.0)), Held);
    check(aged(50, old(50.0 - 63.0)), Violated);
    check(aged(50, 50.0), Violated);
    // From the moment of the rotation on, and as long as the old key may be in use.
    check(aged_at(99_995, 0.0), Held);
    check(aged_at(99_994, 0.0), Violated);
    check(aged_at(160_150, old(160.0)), Held);
    check(aged_at(160_151, old(160.0)), Violated);
    check(aged(159, old(159.0)), Held);
    check(aged(161, old(161.0)), Violated);
    check(aged(101, 1.0), Held);
    check(aged(500, 200.0), Held);
    check(aged(500, 0.5), Violated);
    check(aged(500, 0.5).paused(499_000, 500_002), Held);
    check(aged(500, 0.5).lag(500_000, 400), Held);
    let mut failed = aged(500, 0.5);
    failed.case.target.scrapes.last_mut().unwrap().status = Some(500);
    check(failed, Held);
    check(aged(500, f64::from(1_800_000_000)), Violated);
}

#[test]
fn too_little_of_anything_is_inconclusive() {
    check(History::over(&[]), Inconclusive);
    let mut one = sound();
    one.case.linktree.happened.pop();
    one.case.target.scrapes.retain(|scrape| scrape.sent < Moment::from_ms(300_000));
    check(one, Inconclusive);
    let few = without(|one| one.key_id.as_deref() == Some("key-2") && one.clicks.is_empty());
    check(few, Held);
    let few = without(|one| one.t_req >= Moment::from_ms(350_000));
    check(few, Violated);
    let mut hidden = sound();
    hidden.case.target.scrapes.iter_mut().for_each(|one| one.figures = Figures::default());
    let verdict = check(hidden, Inconclusive);
    assert!(verdict.reason.unwrap().contains("key_age is not exposed"));
    let mut nobody = sound();
    nobody.operations.retain(|one| one.event_id().is_none() || one.sent < Moment::from_ms(300_000));
    check(nobody, Inconclusive);
    check(sound().exchange(given_up(ANN, 200_000, 210_000)), Held);
}

/// The key is old, and an alert comes so late.
fn told(mut history: History, at_ms: u64) -> History {
    history.case.plan.key.age_days = Some(91);
    history.case.alert_names.insert(AlertKind::KeyAge, AlertName::plain("Old"));
    history.alert(pushed("Old", at_ms))
}

#[test]
fn an_alert_of_an_old_key_comes_within_its_delay_and_while_the_key_may_be_in_use() {
    check(told(sound(), 10_000), Held);
    check(told(sound(), 32_000), Held);
    let late = check(told(sound(), 33_000), Violated);
    assert!(
        late.witnesses[0].what.contains("Old did not fire within 32 s, though it was 90.9 days")
    );
    let at_last =
        |at_ms| told(sound(), 10_000).alert(resolved("Old", 20_000)).alert(pushed("Old", at_ms));
    check(at_last(190_000), Held);
    let young = check(at_last(195_000), Violated);
    assert!(young.witnesses[0].what.contains("Old fired, though it was 0.0 days at the most"));
    let mut never = told(sound(), 10_000);
    never.case.target.alerts.clear();
    check(never, Violated);
}

#[test]
fn who_has_no_alert_of_an_old_key_is_not_judged_for_it_and_that_is_said() {
    let verdict = check(sound(), Held);
    assert!(
        verdict.observed.contains("the alert is not judged: [observe.alerts] key_age names none")
    );
    check(sound().alert(pushed("Other", 10_000)), Inconclusive);
}

#[test]
fn without_a_rotation_no_alert_comes_of_a_key_that_is_nearly_old() {
    let days = |age_days| {
        let mut history = History::over(&[(Control, 0, 100)]);
        history.case.plan.key.age_days = Some(age_days);
        history.case.alert_names.insert(AlertKind::KeyAge, AlertName::plain("Old"));
        history
    };
    check(days(80), Held);
    check(days(80).alert(pushed("Old", 10_000)), Violated);
    check(days(91).alert(pushed("Old", 10_000)), Held);
    // Neither old nor nearly so.
    check(days(30), Inconclusive);
    let mut unnamed = days(80);
    unnamed.case.alert_names.clear();
    check(unnamed, Inconclusive);
}
