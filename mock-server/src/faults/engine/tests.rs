//! Who is hit, when, and by what together; and that it hangs on seed, rule and key alone.

use super::super::{
    FAULTS, Fault, Html, Latency, Matcher, NoConnect, Ratio, Refuse, Reset, ResetAt, Shut, Stage,
};
use super::super::{Status, Window};
use super::*;
use rand::seq::SliceRandom;

fn rule(id: &str, pick: Pick, fault: Fault) -> Rule {
    Rule {
        id: id.into(),
        window: Window { from_ms: 100, until_ms: 200 },
        matcher: Matcher::default(),
        pick,
        fault,
    }
}

fn status(code: u16) -> Fault {
    Fault::Status(Status { codes: vec![code], retry_after: vec![] })
}

fn view(key: &str) -> RequestView<'_> {
    RequestView {
        stage: Stage::Request,
        method: "GET",
        route: Route::Profile,
        handle: Some("a-0001"),
        key,
    }
}

fn effect(rules: Vec<Rule>, view: &RequestView<'_>, at: Option<u64>) -> Effect {
    Engine::new(1, rules).unwrap().decide(view, at).effect
}

fn half() -> Pick {
    Pick::Share { ratio: Ratio { hits: 1, of: 2 } }
}

/// The decisions for 40 requests of each of 5 keys, met in an order shuffled by `order`.
fn decisions(seed: u64, order: u64) -> Vec<(String, Decision)> {
    let slow = Fault::Latency(Latency::Uniform { min_ms: 1, max_ms: 900 });
    let plan = vec![rule("fail", half(), status(503)), rule("slow", half(), slow)];
    let engine = Engine::new(seed, plan).unwrap();
    let mut keys: Vec<String> = (0..200).map(|n| format!("GET /{}", n % 5)).collect();
    keys.shuffle(&mut crate::seed::stream(order, &["order"]));
    let mut met: Vec<_> =
        keys.into_iter().map(|key| (key.clone(), engine.decide(&view(&key), Some(150)))).collect();
    met.sort_by(|a, b| a.0.cmp(&b.0)); // stable: keeps the ordinals of a key in order
    met
}

#[test]
fn interleaving_changes_nobodys_fate_and_another_seed_does() {
    assert_eq!(decisions(1, 10), decisions(1, 11));
    assert_ne!(decisions(1, 10), decisions(2, 10));
}

#[test]
fn windows_are_half_open_and_count_from_arming() {
    let at = |at| effect(vec![rule("r", Pick::All, status(500))], &view("k"), at);
    assert_eq!(at(None), Effect::Pass);
    assert_eq!(at(Some(99)), Effect::Pass);
    assert_ne!(at(Some(100)), Effect::Pass);
    assert_ne!(at(Some(199)), Effect::Pass);
    assert_eq!(at(Some(200)), Effect::Pass);
}

#[test]
fn matchers_look_at_route_method_and_handle() {
    let check = |matcher: Matcher, expected: bool| {
        let rule = Rule { matcher, ..rule("r", Pick::All, status(500)) };
        assert_eq!(effect(vec![rule], &view("k"), Some(150)) != Effect::Pass, expected);
    };
    let all = Matcher::default;
    check(all(), true);
    check(Matcher { routes: vec![Route::Profile], ..all() }, true);
    check(Matcher { routes: vec![Route::Me], ..all() }, false);
    check(Matcher { method: Some("get".into()), ..all() }, true);
    check(Matcher { method: Some("POST".into()), ..all() }, false);
    check(Matcher { handle: Some("a-*".into()), ..all() }, true);
    check(Matcher { handle: Some("a-0002".into()), ..all() }, false);
    let health = RequestView { route: Route::Health, ..view("k") };
    let plan = vec![rule("r", Pick::All, status(500))];
    assert_eq!(effect(plan, &health, Some(150)), Effect::Pass, "health is spared by default");
}

#[test]
fn ordinals_count_for_each_key() {
    let plan = vec![rule("r", Pick::Nth { from: 1, until: 3 }, status(500))];
    let engine = Engine::new(1, plan).unwrap();
    let hit = |key| !engine.decide(&view(key), Some(150)).marks.is_empty();
    assert_eq!(
        [hit("a"), hit("b"), hit("a"), hit("a"), hit("a")],
        [false, false, true, true, false]
    );
    assert!(hit("b"));
}

#[test]
fn some_of_every_few_are_hit_in_turn_for_each_key() {
    let pick = Pick::InTurn { ratio: Ratio { hits: 1, of: 3 } };
    let engine = Engine::new(1, vec![rule("r", pick, status(500))]).unwrap();
    let hit = |key| !engine.decide(&view(key), Some(150)).marks.is_empty();
    assert_eq!(["a"; 5].map(hit), [true, false, false, true, false]);
    assert!(hit("b"));
}

#[test]
fn an_amended_plan_goes_on_counting_and_a_replaced_one_starts_anew() {
    let first = rule("first", Pick::Nth { from: 0, until: 1 }, status(500));
    let other = rule("other", Pick::Nth { from: 9, until: 10 }, status(500));
    let engine = Engine::new(1, vec![first.clone()]).unwrap();
    let hit = || !engine.decide(&view("k"), Some(150)).marks.is_empty();
    assert!(hit());
    engine.amend(vec![other, first.clone()]).unwrap();
    assert!(!hit(), "the rule has had its first request");
    engine.replace(vec![first]).unwrap();
    assert!(hit());
}

#[test]
fn latency_adds_up_and_the_first_other_effect_wins() {
    let slow = || Fault::Latency(Latency::Constant { ms: 3 });
    let reset = Fault::Reset(Reset { at: ResetAt::MidBody });
    let plan = vec![
        rule("slow", Pick::All, slow()),
        rule("reset", Pick::All, reset),
        rule("fail", Pick::All, status(500)),
        rule("slower", Pick::All, slow()),
    ];
    let engine = Engine::new(1, plan).unwrap();
    let decision = engine.decide(&view("k"), Some(150));
    assert_eq!(decision.delay_us, 6_000);
    assert_eq!(decision.effect, Effect::Reset { at: ResetAt::MidBody });
    let rules: Vec<_> = decision.marks.iter().map(|mark| mark.rule.as_str()).collect();
    assert_eq!(rules, ["slow", "slower", "reset"]);
}

#[test]
fn changes_of_the_answer_all_apply_in_the_order_of_the_plan_beside_the_effect() {
    let html = |status| Fault::Html(Html { status: Some(status) });
    let plan = vec![
        rule("first", Pick::All, html(500)),
        rule("reset", Pick::All, Fault::Reset(Reset { at: ResetAt::MidBody })),
        rule("second", Pick::All, html(501)),
    ];
    let decision = Engine::new(1, plan).unwrap().decide(&view("k"), Some(150));
    let rewrites: Vec<_> =
        decision.rewrites.iter().map(|(how, mark)| (how.clone(), mark.rule.as_str())).collect();
    let html = |status| Rewrite::Html { status: Some(status) };
    assert_eq!(rewrites, [(html(500), "first"), (html(501), "second")]);
    assert_eq!(decision.effect, Effect::Reset { at: ResetAt::MidBody });
    assert_eq!(decision.marks.len(), 1);
}

#[test]
fn every_fault_decides_the_same_again_and_with_another_seed_about_others() {
    for info in FAULTS {
        let fault: Fault = toml::from_str(info.example_toml).unwrap();
        let stage = fault.stage();
        // What refuses altogether or strikes the process cannot pick; all others hit every other
        // request.
        let picks =
            !matches!(fault, Fault::Refuse(_) | Fault::NoConnect(_)) && stage != Stage::Process;
        let met = |seed| {
            let pick = if picks { half() } else { Pick::All };
            let engine = Engine::new(seed, vec![rule("it", pick, fault.clone())]).unwrap();
            let key = if stage == Stage::Vault { "secret/data/linktree" } else { "k" };
            let view = RequestView { stage, ..view(key) };
            (0..64).map(|_| engine.decide(&view, Some(150))).collect::<Vec<_>>()
        };
        assert_eq!(met(1), met(1), "{}", info.kind);
        assert_eq!(met(1) != met(2), picks, "{}", info.kind);
    }
}

#[test]
fn a_port_is_shut_from_the_beginning_to_the_end_of_a_window_and_the_first_rule_says_how() {
    let during = |id: &str, fault, from_ms, until_ms| Rule {
        window: Window { from_ms, until_ms },
        ..rule(id, Pick::All, fault)
    };
    let (refuse, drop) = (|| Fault::Refuse(Refuse {}), Fault::NoConnect(NoConnect {}));
    let plan = vec![
        during("a", refuse(), 100, 200),
        during("b", refuse(), 150, 300),
        during("c", drop, 250, 400),
        during("never", refuse(), 700, 700),
        rule("other", Pick::All, status(500)),
        during("d", refuse(), 500, 501),
    ];
    let engine = Engine::new(1, plan).unwrap();
    let order = |now| {
        let PortOrder { shut, marks, until } = engine.port(now);
        let rules: Vec<_> = marks.iter().map(|mark| mark.rule.clone()).collect();
        (shut, rules.concat(), until)
    };
    let check = |now, shut, rules: &str, until| {
        assert_eq!(order(now), (shut, rules.to_owned(), until), "{now}");
    };
    check(99, None, "", Some(100));
    check(100, Some(Shut::Refused), "a", Some(150));
    check(160, Some(Shut::Refused), "ab", Some(200));
    check(260, Some(Shut::Refused), "b", Some(300));
    check(300, Some(Shut::Unanswered), "c", Some(400));
    check(400, None, "", Some(500));
    check(501, None, "", None);
    engine.replace(vec![]).unwrap();
    check(100, None, "", None);
}

#[test]
fn plans_that_cannot_be_executed_are_refused() {
    let twice = vec![rule("r", Pick::All, status(500)), rule("r", Pick::All, status(500))];
    assert!(matches!(Engine::new(1, twice), Err(PlanError::Twice { .. })));
    let odd = vec![rule("r", Pick::All, status(100))];
    assert!(matches!(Engine::new(1, odd), Err(PlanError::Setting { key: "codes", .. })));
    let some = rule("r", half(), Fault::Refuse(Refuse {}));
    assert!(matches!(Engine::new(1, vec![some]), Err(PlanError::Setting { key: "pick", .. })));
}
