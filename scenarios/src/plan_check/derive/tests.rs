//! Derived phases are proven, and name the catalogue's storms as their authors did.

use super::super::claims::{Given, doubts};
use super::*;
use crate::catalogue::{Profile, Settings, run_plan};
use crate::plan::{Creators, Pace, Shape, Step, Traffic};
use crate::traffic::actions::Action;
use mock_server::contract::Route;
use mock_server::faults::engine::Engine;
use mock_server::faults::{
    Effect, FAULTS, Fault, Matcher, Onset, Pick, Ratio, RequestView, Rule, Stage,
};
use mock_server::profile::ContractProfile;
use proptest::prelude::*;

#[test]
fn they_never_contradict_the_catalogue() {
    for profile in [Profile::Quick, Profile::Nightly] {
        for time_scale in 1..=10 {
            let settings = Settings { profile, time_scale, ..Settings::default() };
            let contract = ContractProfile::linktree_v1();
            let run = run_plan(&settings, contract, &[]);
            for plan in &run.scenarios {
                let derived = Plan { phases: derive_phases(&run, plan), ..plan.clone() };
                for (ms, kind) in plan.phases.iter().flat_map(|one| {
                    let inside = (one.from_ms..one.until_ms).step_by(23);
                    inside.map(move |ms| (ms, one.kind))
                }) {
                    let found = derived.phase_at(ms).unwrap().kind;
                    let agrees = kind.is_total_outage() == found.is_total_outage()
                        && (is_stormy(kind) || !is_stormy(found));
                    assert!(agrees, "{} at {ms} ms: {kind:?}, {found:?}", plan.id);
                }
                assert_eq!(derived.duration_ms(), plan.duration_ms());
                let one = RunPlan { scenarios: vec![derived], ..run.clone() };
                assert_eq!(one.check(), Ok(()), "{}", plan.id);
            }
        }
    }
}

#[test]
fn a_storm_that_nobody_has_named_gets_the_strongest_names() {
    let contract = ContractProfile::linktree_v1();
    let kinds = |id: &str| {
        let run = run_plan(&Settings::default(), contract.clone(), &[id]);
        let phases = derive_phases(&run, &run.scenarios[0]);
        phases.iter().map(|phase| phase.kind.name()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(kinds("steady-state"), "control settle");
    assert_eq!(kinds("brownout"), "control storm heal settle");
    assert_eq!(kinds("outage-and-replay"), "control outage heal storm heal storm heal settle");
    assert_eq!(kinds("crash-and-replay"), "control storm heal outage heal storm heal settle");
    assert_eq!(kinds("calibration"), "control breaker-probe heal settle");
    assert_eq!(kinds("retry-gaps"), "control retry-gaps storm retry-gaps heal settle");
    assert_eq!(
        kinds("kinds-of-failure"),
        "control breaker-probe heal breaker-probe heal storm heal settle"
    );
}

fn picks() -> impl Strategy<Value = Pick> {
    prop_oneof![
        4 => Just(Pick::All),
        1 => (0u32..=2).prop_map(|hits| Pick::Share { ratio: Ratio { hits, of: 2 } }),
        1 => (0u32..=2).prop_map(|hits| Pick::InTurn { ratio: Ratio { hits, of: 2 } }),
        1 => (0u64..6).prop_map(|until| Pick::Nth { from: 0, until }),
        1 => Just(Pick::Nth { from: 0, until: u64::MAX }),
    ]
}

fn matchers() -> impl Strategy<Value = Matcher> {
    let routes = |routes: Vec<Route>| Matcher { routes, ..Matcher::default() };
    prop_oneof![
        4 => Just(Matcher::default()),
        1 => Just(routes(vec![Route::Profile])),
        1 => Just(routes(vec![Route::Health])),
        1 => Just(Matcher { handle: Some("page-*".into()), ..Matcher::default() }),
        1 => Just(Matcher { method: Some("GET".into()), ..Matcher::default() }),
    ]
}

/// Certain failures are frequent, so that some outages come out.
fn faults() -> impl Strategy<Value = Fault> {
    let example = |index: usize| serde_json::from_str(&FAULTS[index].example_json()).unwrap();
    let fault = |text: &str| serde_json::from_str::<Fault>(text).unwrap();
    prop_oneof![
        2 => (0..FAULTS.len()).prop_map(example),
        3 => Just(fault(r#"{"kind":"status","codes":[500,503]}"#)),
        1 => Just(fault(r#"{"kind":"status","codes":[429,503]}"#)),
        1 => Just(fault(r#"{"kind":"empty-reply"}"#)),
    ]
}

fn windows() -> impl Strategy<Value = Window> {
    (0u64..20, 1u64..12)
        .prop_map(|(from, length)| Window { from_ms: from * 100, until_ms: (from + length) * 100 })
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let rule = (windows(), matchers(), picks(), faults());
    prop::collection::vec(rule, 0..6).prop_map(|all| {
        let named = |(index, (window, matcher, pick, fault))| Rule {
            id: format!("r{index}"),
            window,
            matcher,
            pick,
            fault,
        };
        let rules = all.into_iter().enumerate().map(named);
        rules.filter(|rule| rule.mistakes().is_empty()).collect()
    })
}

fn streams() -> impl Strategy<Value = Vec<Traffic>> {
    prop::collection::vec((windows(), any::<bool>()), 0..4).prop_map(|all| {
        let stream = |(index, (window, open)): (usize, (Window, bool))| Traffic {
            id: format!("s{index}"),
            from_ms: window.from_ms,
            until_ms: window.until_ms,
            pace: if open {
                Pace::Open { shape: Shape::Steady { rate: 1 } }
            } else {
                Pace::Sequential { calls: 9, gap_ms: 1 }
            },
            creators: Creators::InTurn { group: "page".into() },
            does: vec![Step::always(Action::Page)],
        };
        all.into_iter().enumerate().map(stream).collect()
    })
}

/// Whether the attempt that meets this decision fails for certain.
fn fails(engine: &Engine, view: &RequestView<'_>, ms: u64) -> bool {
    let decision = engine.decide(view, Some(ms));
    decision.rewrites.is_empty()
        && match decision.effect {
            Effect::Answer { status, .. } | Effect::LateError { status } => status >= 500,
            Effect::Hold => false,
            other => other.shape().onset == Onset::BeforeHead,
        }
}

proptest! {
    #[test]
    fn they_are_whole_and_proven_and_in_an_outage_the_mock_lets_nothing_through(
        rules in rules(),
        traffic in streams(),
        seed in any::<u64>(),
    ) {
        let contract = ContractProfile::linktree_v1();
        let run = run_plan(&Settings::default(), contract, &["steady-state"]);
        let plan = Plan {
            phases: vec![],
            faults: rules.clone(),
            traffic,
            ..run.scenarios[0].clone()
        };
        let phases = derive_phases(&run, &plan);
        let engine = Engine::new(seed, rules).unwrap();
        let given = Given::of(&run, &plan);
        let mut end = 0;
        for phase in &phases {
            prop_assert!(phase.from_ms == end && phase.from_ms < phase.until_ms);
            end = phase.until_ms;
            let span = Window { from_ms: phase.from_ms, until_ms: phase.until_ms };
            prop_assert!(doubts(&given, phase.kind, span).is_empty(), "{phases:?}");
            let moments = (phase.from_ms..phase.until_ms).step_by(33);
            for (ms, route) in moments.filter(|_| phase.kind.is_total_outage()).flat_map(|ms| {
                [Route::Me, Route::Profile, Route::ClicksBatch].map(|route| (ms, route))
            }) {
                let key = format!("{route:?} {}", ms % 3);
                let view = RequestView {
                    stage: Stage::Request,
                    method: "GET",
                    route,
                    handle: Some("page-0001"),
                    key: &key,
                };
                prop_assert!(fails(&engine, &view, ms), "{ms} ms {route:?}: {:?}", plan.faults);
            }
        }
    }
}
