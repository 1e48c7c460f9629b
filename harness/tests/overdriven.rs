//! Proves with the real binary that a storm beyond what a machine can throw is told as it was: the
//! lateness is that of the operations, and what depends on visitors is not taken for held.

use scenarios::catalogue::{Settings, run_plan};
use scenarios::guarantees;
use scenarios::history::Operation;
use scenarios::plan::{Creators, Pace, Phase, PhaseKind, Plan, RunPlan, Shape, Step, Traffic};
use scenarios::promise::Stands;
use scenarios::traffic::Schedule;
use scenarios::traffic::actions::Action;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use windthrow::evidence::plans;
use windthrow::evidence::reader::Recording;

/// As many a second as a plan may ask for, for one second.
const RATE: u32 = 20_000;
const SCENARIO: &str = "viral-spike";

fn overdriven() -> RunPlan {
    let contract = mock_server::profile::ContractProfile::linktree_v1();
    let mut run = run_plan(&Settings::default(), contract, &[SCENARIO]);
    let plan = &mut run.scenarios[0];
    let phase =
        |name: &str, kind, from_ms, until_ms| Phase { name: name.into(), kind, from_ms, until_ms };
    plan.phases = vec![
        phase("the flood", PhaseKind::Storm, 0, 2_000),
        phase("the crowd is gone", PhaseKind::Heal, 2_000, 8_000),
    ];
    plan.traffic = vec![Traffic {
        id: "flood".into(),
        from_ms: 500,
        until_ms: 1_500,
        pace: Pace::Open { shape: Shape::Steady { rate: RATE } },
        creators: Creators::InTurn { group: "home".into() },
        does: vec![Step::always(Action::Page), Step { action: Action::Click, share_per_mille: 20 }],
    }];
    plan.faults.clear();
    plan.generator.users = 400;
    plan.exclusive = true;
    run
}

/// sent − intended of each arrival's first operation, microseconds, in order.
fn lateness(history: &Path) -> Vec<u64> {
    let mut first: BTreeMap<u64, u64> = BTreeMap::new();
    let see = |operation: &Operation<'_>| {
        let late = operation.sent.since(operation.intended);
        first.entry(operation.arrival).or_insert(u64::try_from(late.as_micros()).unwrap());
    };
    Recording::open(history).unwrap().each_operation(see).unwrap();
    let mut late: Vec<u64> = first.into_values().collect();
    late.sort_unstable();
    late
}

/// Of a hundred 99 are no greater; `late` is in order.
fn p99(late: &[u64]) -> u64 {
    late[(late.len() * 99).div_ceil(100) - 1]
}

#[test]
fn a_flood_is_told_as_late_as_it_was_and_nothing_that_needs_visitors_holds_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = overdriven();
    assert_eq!(run.check(), Ok(()), "the ceiling of a plan is {RATE} a second");
    std::fs::write(folder.path().join("plan.json"), plans::to_bytes(&run).0).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(["run", "--plan", "plan.json"])
        .current_dir(folder.path())
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let first_screen = said.split("guarantee  ").next().unwrap();
    let latest = folder.path().join("runs/latest");
    let result: Value =
        serde_json::from_slice(&std::fs::read(latest.join("result.json")).unwrap()).unwrap();
    let scenario = &result["scenarios"][0];
    let held: Vec<&str> = result["cells"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|cell| cell["verdict"] == "held")
        .map(|cell| cell["guarantee"].as_str().unwrap())
        .collect();
    if scenario["ending"] == "setup-failed" {
        // A machine that is known to be too slow is not even tried.
        assert!(first_screen.contains("this machine cannot throw this storm"), "{said}");
        assert!(held.is_empty() && output.status.code() == Some(5), "{said}");
        return;
    }
    let plan: &Plan = &run.scenarios[0];
    let history = latest.join(format!("scenarios/{SCENARIO}/history.ndjson.zst"));
    let late = lateness(&history);
    let evidence = &scenario["evidence"];
    let number = |name: &str| evidence[name].as_u64().unwrap();
    assert_eq!(number("arrivals_sent"), late.len() as u64);
    let planned = Schedule::of(plan).unwrap().arrivals.len() as u64;
    assert_eq!(number("arrivals_planned"), planned);

    let told = evidence["lateness"]["p99_us"].as_u64().unwrap();
    let near = |a: u64, b: u64, share: u64, more: u64| a.abs_diff(b) <= a.max(b) / share + more;
    assert!(near(told, p99(&late), 500, 1), "told {told} µs, and it was {} µs", p99(&late));
    let latest = evidence["lateness"]["max_us"].as_u64().unwrap();
    assert!(near(latest, *late.last().unwrap(), 500, 1), "told at most {latest} µs");
    // The generator looks at its clock a moment before the operation does.
    let case = Recording::open(&history).unwrap().case(&run, plan).unwrap();
    let own = case.harness.generator.unwrap().lateness.quantile_us(0.99);
    assert!(near(own, told, 20, 20_000), "the generator says {own} µs, its operations {told} µs");

    let is_late = told > plan.generator.p99_lateness_ms * 1_000;
    let troubled = is_late || number("arrivals_sent") < planned;
    assert_eq!(scenario["troubles"].as_array().unwrap().is_empty(), !troubled, "{said}");
    assert_eq!(first_screen.contains("the load generator was late"), is_late, "{said}");
    for id in held.iter().filter(|_| troubled) {
        let stands = guarantees::find(id).unwrap().promise().when_late;
        assert!(matches!(stands, Stands::Always | Stands::IfHeld), "{id} held by it: {said}");
    }
}
