//! What a recording says arrives in the report, and a recording of another format does not.

use super::*;
use crate::config::target::TargetSpec;
use crate::evidence::folder::RUN_FORMAT;
use crate::evidence::judging_rules::JudgingRules;
use crate::rerun::Rerun;
use crate::storm::recorder::Recorder;
use mock_server::clock::Moment;
use mock_server::profile::ContractProfile;
use scenarios::catalogue::{Settings, run_plan};
use scenarios::history::{Event, GeneratorReport, HISTORY_FORMAT, Lateness, Opened, Outcome};
use std::time::Duration;

const SCENARIO: &str = "steady-state";

/// The folder of a run whose only scenario was recorded in this format, with this lateness.
fn recorded(format: u32, lateness: Lateness) -> (tempfile::TempDir, RunFolder) {
    let out = tempfile::tempdir().unwrap();
    let folder = RunFolder { path: out.path().to_owned() };
    let contract = ContractProfile::linktree_v1();
    let run = run_plan(&Settings::default(), contract, &[SCENARIO]);
    let (plan, plan_hash) = plans::to_bytes(&run);
    let identity = RunIdentity {
        format: RUN_FORMAT,
        run_id: "run".into(),
        started: "2026-01-01T00:00:00Z".into(),
        plan_hash: plan_hash.clone(),
        target: TargetSpec::Embedded { mutant: None },
        judging: JudgingRules::default(),
        rerun: Rerun::default(),
        tool_version: "0".into(),
        cores: 2,
        os: "linux".into(),
    };
    folder.write("run.json", &serde_json::to_vec(&identity).unwrap()).unwrap();
    folder.write("plan.json", &plan).unwrap();
    std::fs::create_dir_all(folder.scenario(SCENARIO)).unwrap();
    let (recorder, writer) = Recorder::create(&folder.history(SCENARIO)).unwrap();
    recorder.record(Event::Opened(Opened {
        format,
        scenario: SCENARIO.into(),
        plan_hash,
        target: "embedded".into(),
        mock_url: "http://127.0.0.1:1".into(),
    }));
    recorder.record(Event::Generator(GeneratorReport { lateness, ..GeneratorReport::default() }));
    recorder.record(Event::Closed { at: Moment::from_ms(1), outcome: Outcome::Completed });
    writer.finish().unwrap();
    (out, folder)
}

#[test]
fn seconds_of_lateness_are_reported_as_seconds() {
    let mut late = Lateness::default();
    for ms in [0, 2_500, 2_500, 2_500] {
        late.record(Duration::from_millis(ms));
    }
    let (_out, folder) = recorded(HISTORY_FORMAT, late);
    let lateness = report(&folder).unwrap().scenarios.remove(0).evidence.lateness;
    assert_eq!([lateness.p50_us, lateness.p99_us, lateness.max_us], [2_500_000; 3]);
}

#[test]
fn a_history_of_another_format_is_a_wrong_usage_and_named() {
    let (_out, folder) = recorded(1, Lateness::default());
    let failure = report(&folder).unwrap_err();
    assert!(matches!(failure, Failure::Usage { .. }), "{failure}");
    let says = failure.to_string();
    assert!(says.contains("format 1") && says.contains("history.ndjson.zst"), "{says}");
}

#[test]
fn a_promise_that_is_only_watched_and_was_not_seen_is_not_judged() {
    let (_out, folder) = recorded(HISTORY_FORMAT, Lateness::default());
    let report = report(&folder).unwrap();
    let decided =
        &run_plan(&Settings::default(), ContractProfile::linktree_v1(), &[SCENARIO]).scenarios[0];
    assert!(!decided.watches.is_empty());
    let ids: Vec<&str> = report.cells.iter().map(|cell| cell.guarantee.as_str()).collect();
    assert_eq!(ids.len(), decided.guarantees.len());
    assert!(ids.iter().all(|id| decided.decides(id)), "{ids:?}");
    assert!(report.not_tested.iter().any(|one| one.id == "click-lag"));
}
