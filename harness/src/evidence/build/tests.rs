//! What a recording says arrives in the report, and a recording of another format does not.

use super::*;
use crate::config::target::TargetSpec;
use crate::evidence::folder::RunIdentity;
use crate::evidence::plans;
use crate::storm::recorder::Recorder;
use mock_server::clock::Moment;
use mock_server::profile::ContractProfile;
use reports::report::{CpuTime, ScenarioReport, Tolerance};
use scenarios::catalogue::{Settings, run_plan};
use scenarios::guarantees;
use scenarios::history::{
    Change, Click, Did, Event, GeneratorReport, HISTORY_FORMAT, Lateness, Oddity, Opened,
    Operation, Outcome, PageView, Process, Timers, Waits,
};
use std::time::Duration;

pub const SCENARIO: &str = "steady-state";

/// How the history of the only scenario of a run opens.
pub fn opened(format: u32, identity: &RunIdentity) -> Event<'static> {
    Event::Opened(Opened {
        format,
        run: identity.run_id.clone(),
        run_hash: identity.own_hash.clone(),
        scenario: SCENARIO.into(),
        plan_hash: identity.plan_hash.clone(),
        target: "embedded".into(),
        started: Some("2026-03-01T02:00:00.250Z".into()),
    })
}

/// The folder of a run whose only scenario was recorded in this format, with these events.
fn recorded(format: u32, events: Vec<Event<'static>>) -> (tempfile::TempDir, RunFolder) {
    recorded_to(Outcome::Completed, format, events)
}

fn recorded_to(
    outcome: Outcome,
    format: u32,
    events: Vec<Event<'static>>,
) -> (tempfile::TempDir, RunFolder) {
    let (out, folder, identity) = planned();
    let (recorder, writer) = Recorder::create(&folder.history(SCENARIO)).unwrap();
    recorder.record(opened(format, &identity));
    events.into_iter().for_each(|event| recorder.record(event));
    writer.close(Moment::from_ms(1), outcome).unwrap();
    (out, folder)
}

/// The folder of a run before its only scenario was recorded, and whose it is.
pub fn planned() -> (tempfile::TempDir, RunFolder, RunIdentity) {
    let out = tempfile::tempdir().unwrap();
    let folder = RunFolder { path: out.path().to_owned() };
    let contract = ContractProfile::linktree_v1();
    let run = run_plan(&Settings::default(), contract, &[SCENARIO]);
    let (plan, plan_hash) = plans::to_bytes(&run);
    let identity = RunIdentity::new("run", &plan_hash, TargetSpec::Embedded { mutant: None });
    let own_hash = folder.write_identity(&identity).unwrap();
    folder.write("plan.json", &plan).unwrap();
    std::fs::create_dir_all(folder.scenario(SCENARIO)).unwrap();
    (out, folder, RunIdentity { own_hash, ..identity })
}

/// The only scenario of a run whose generator says that this was its lateness.
fn told(lateness: Lateness, mut events: Vec<Event<'static>>) -> ScenarioReport {
    events.push(Event::Generator(GeneratorReport { lateness, ..GeneratorReport::default() }));
    let (_out, folder) = recorded(HISTORY_FORMAT, events);
    report(&folder).unwrap().scenarios.remove(0)
}

fn late(ms: &[u64]) -> Lateness {
    let mut late = Lateness::default();
    ms.iter().for_each(|ms| late.record(Duration::from_millis(*ms)));
    late
}

#[test]
fn a_target_that_only_knows_an_expired_token_is_told_to_log_in() {
    let read = |token: &str| {
        let read = serde_json::json!({
            "at": 1, "method": "GET", "path": "/v1/secret/data/linktree", "token": token, "status": 403
        });
        Event::SecretRead(serde_json::from_value(read).unwrap())
    };
    let how = || "not ready".to_owned();
    let down = || Process { at: Moment::from_ms(1), change: Change::NotReady { how: how() } };
    let told = |reads: [&str; 2]| {
        let events = reads.map(read).into_iter().chain([Event::Process(down())]).collect();
        let lost = Outcome::TargetLost { how: how() };
        let (_out, folder) = recorded_to(lost, HISTORY_FORMAT, events);
        report(&folder).unwrap().scenarios.remove(0).ending_reason.unwrap()
    };
    let asked = told(["run", "expired"]);
    assert!(asked.contains("not come back") && asked.contains("{vault.role_id}"), "{asked}");
    assert!(!told(["expired", "login"]).contains("{vault.role_id}"));
}

#[test]
fn seconds_of_lateness_are_reported_as_seconds() {
    let told = told(late(&[0, 2_500, 2_500, 2_500]), Vec::new()).evidence.lateness.unwrap();
    assert_eq!([told.p50_us, told.p99_us, told.max_us], [2_500_000; 3]);
}

#[test]
fn a_generator_that_says_less_than_its_operations_show_is_not_believed() {
    let visit = |arrival: u64| {
        let sent = Moment::from_ms(arrival + 2_500);
        Event::Operation(Operation {
            arrival,
            handle: "ann".into(),
            intended: Moment::from_ms(arrival),
            sent,
            first: Some(sent),
            last: sent,
            status: Some(200),
            failure: None,
            did: Did::Page(PageView::default()),
        })
    };
    let scenario = told(late(&[0; 5]), (0..5).map(visit).collect());
    assert_eq!(scenario.evidence.lateness.unwrap().max_us, 2_500_000);
    assert_eq!(scenario.evidence.arrivals_sent, 0, "it says that it sent none");
    let [trouble] = &scenario.troubles[..] else { panic!("{:?}", scenario.troubles) };
    for words in ["late: p99 2.5 s of 5 arrivals", "at most 20 ms", "though it said 0", "visitors"]
    {
        assert!(trouble.contains(words), "{trouble}");
    }
}

#[test]
fn what_was_taken_that_is_no_click_is_a_note_and_no_trouble() {
    let sent = Moment::from_ms(1);
    let garbled = Operation {
        arrival: 0,
        handle: "ann".into(),
        intended: sent,
        sent,
        first: Some(sent),
        last: sent,
        status: Some(202),
        failure: None,
        did: Did::GarbledClick(Oddity::of("a list")),
    };
    let scenario = told(late(&[0]), vec![Event::Operation(garbled)]);
    let [note] = &scenario.notes[..] else { panic!("{:?}", scenario.notes) };
    assert!(note.contains("answered 202 (a list)"), "{note}");
}

#[test]
fn what_was_not_measured_is_not_a_number() {
    let (_out, folder) = recorded(HISTORY_FORMAT, Vec::new());
    let seen = report(&folder).unwrap().scenarios.remove(0).evidence;
    assert_eq!(
        (seen.lateness, seen.users, seen.dispatcher, seen.dispatch, seen.arrivals_planned),
        (None, None, None, None, None)
    );
    assert_eq!(seen.cpu, CpuTime::default());
    assert_eq!(seen.tolerance, Tolerance::default());
    for (looks, expected) in [(0, None), (9, Some(0.0))] {
        let timers = Event::Timers(Timers { looks, latest_us: 0 });
        let waits = Event::Waits(Waits { looks, longest_us: 0 });
        let (_out, folder) = recorded(HISTORY_FORMAT, vec![timers, waits]);
        let seen = report(&folder).unwrap().scenarios.remove(0).evidence.tolerance;
        assert_eq!((seen.lag_max_ms, seen.wait_max_ms), (expected, expected), "{looks} looks");
    }
}

#[test]
fn only_clicks_that_were_acknowledged_are_counted() {
    let click = |status| {
        Event::Operation(Operation {
            arrival: 0,
            handle: "ann".into(),
            intended: Moment::ZERO,
            sent: Moment::ZERO,
            first: None,
            last: Moment::ZERO,
            status: Some(status),
            failure: None,
            did: Did::Click(Click { event_id: "e".into(), payload: "p".into() }),
        })
    };
    let (_out, folder) = recorded(HISTORY_FORMAT, [202, 503, 503].map(click).into());
    let seen = report(&folder).unwrap().scenarios.remove(0).evidence;
    assert_eq!((seen.operations, seen.clicks), (3, 1));
}

#[test]
fn every_row_of_the_checklist_is_judged_or_named_as_untested_with_its_reason() {
    let (_out, folder) = recorded(HISTORY_FORMAT, Vec::new());
    let report = report(&folder).unwrap();
    assert_eq!(report.guarantees.len() + report.not_tested.len(), CHECKLIST.len());
    let reason = |id: &str| {
        let untested = report.not_tested.iter().find(|untested| untested.id == id);
        untested.map(|untested| untested.reason.as_str())
    };
    for row in CHECKLIST.iter().filter(|row| guarantees::find(row.id).is_none()) {
        assert_eq!(reason(row.id), Some("no judge yet"), "{}", row.id);
    }
    assert_eq!(reason("breaker-opens"), Some("not exercised by the scenarios of this run"));
    let watched = "only watched by scenarios of this run, which saw too little of it to judge";
    assert_eq!(reason("webhook-registered"), Some(watched));
    assert_eq!(reason("cache-hit-ratio"), None);
}

#[test]
fn a_history_of_another_format_is_a_wrong_usage_and_named() {
    let (_out, folder) = recorded(1, Vec::new());
    let failure = report(&folder).unwrap_err();
    assert!(matches!(failure, Failure::Usage { .. }), "{failure}");
    let says = failure.to_string();
    assert!(says.contains("format 1") && says.contains("history.ndjson.zst"), "{says}");
}

#[test]
fn a_plan_that_was_edited_after_its_run_is_refused_and_named() {
    let (_out, folder) = recorded(HISTORY_FORMAT, Vec::new());
    let plan = std::fs::read_to_string(folder.plan()).unwrap();
    folder.write("plan.json", plan.replacen(": 7", ": 8", 1).as_bytes()).unwrap();
    assert_ne!(plan, std::fs::read_to_string(folder.plan()).unwrap());
    let failure = report(&folder).unwrap_err();
    assert!(matches!(failure, Failure::Usage { .. }), "{failure}");
    let says = failure.to_string();
    assert!(says.contains("plan.json is not the plan that was run"), "{says}");
}

#[test]
fn an_identity_that_was_edited_after_its_run_is_refused_and_named() {
    let (_out, folder) = recorded(HISTORY_FORMAT, Vec::new());
    let written = std::fs::read_to_string(folder.identity()).unwrap();
    for edited in [written.replacen("\"cores\": ", "\"cores\": 1", 1), format!("{written}\n")] {
        assert_ne!(written, edited);
        folder.write("run.json", edited.as_bytes()).unwrap();
        let failure = report(&folder).unwrap_err();
        assert!(matches!(failure, Failure::Usage { .. }), "{failure}");
        let says = failure.to_string();
        assert!(says.contains("run.json is not what was written: its SHA-256"), "{says}");
    }
    folder.write("run.json", written.as_bytes()).unwrap();
    report(&folder).unwrap();
}

#[test]
fn a_promise_that_is_only_watched_and_was_not_seen_is_not_judged() {
    let (_out, folder) = recorded(HISTORY_FORMAT, Vec::new());
    let report = report(&folder).unwrap();
    let decided =
        &run_plan(&Settings::default(), ContractProfile::linktree_v1(), &[SCENARIO]).scenarios[0];
    assert!(!decided.watches.is_empty());
    let ids: Vec<&str> = report.cells.iter().map(|cell| cell.guarantee.as_str()).collect();
    assert_eq!(ids.len(), decided.guarantees.len());
    assert!(ids.iter().all(|id| decided.decides(id)), "{ids:?}");
    assert!(report.not_tested.iter().any(|one| one.id == "click-lag"));
}
