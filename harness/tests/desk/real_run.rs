//! Proves the main job with the real binary: a storm is recorded, judged and reported; evidence
//! survives a lost target and Ctrl-C; what was recorded is judged the same again.

use crate::called::start;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use scenarios::case::JudgedExchange;
use scenarios::history::{Change, Process};
use std::path::Path;
use std::process::{Child, Output};
use std::time::Duration;
use windthrow::evidence::plans;
use windthrow::evidence::reader::Recording;

/// The shortest scenario.
const SCENARIO: &str = "steady-state";

fn run(folder: &Path, args: &[&str]) -> Output {
    start(folder, args).wait_with_output().expect("the binary ends")
}

fn words(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}", text(&output.stdout), text(&output.stderr))
}

/// Waits until the run has so much of its history on disk that the target is known to be ready.
fn target_of(folder: &Path) -> i32 {
    target_once(folder, |exchange| !exchange.head.method.is_empty())
}

/// Waits until such an exchange is on disk, and returns the target.
fn target_once(folder: &Path, seen: impl Fn(&JudgedExchange) -> bool) -> i32 {
    let run = folder.join("runs/latest");
    let history = run.join(format!("scenarios/{SCENARIO}/history.ndjson.zst"));
    for _ in 0..600 {
        std::thread::sleep(Duration::from_millis(50));
        let Ok(plan) = plans::read(&run.join("plan.json")) else { continue };
        let Ok(recording) = Recording::open(&history) else { continue };
        let Ok(case) = recording.case(&plan, &plan.scenarios[0]) else { continue };
        let started = case.target.processes.iter().find_map(|process| match process {
            Process { change: Change::Started { pid }, .. } => Some(*pid),
            _ => None,
        });
        if let (Some(pid), true) =
            (started, case.harness.is_armed() && case.linktree.exchanges.iter().any(&seen))
        {
            return i32::try_from(pid).expect("a process id fits");
        }
    }
    panic!("the target was not ready within 30 s");
}

#[test]
fn the_reference_holds_and_recheck_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["run", SCENARIO, "--seed", "7"]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(!words(&output).contains("! GET"), "it shows all that is judged: {}", words(&output));
    let files = ["result.json", "report.html", "summary.md", "junit.xml"];
    let read = || files.map(|name| std::fs::read(folder.path().join("runs/latest").join(name)));
    let first = read().map(|bytes| bytes.expect("the report was written"));
    let output = run(folder.path(), &["recheck"]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(first == read().map(|bytes| bytes.expect("the report is there")));
}

#[test]
fn a_mutant_is_caught_with_a_witness() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["run", SCENARIO, "--seed", "7", "--mutant", "accept-missing-on-links"];
    let output = run(folder.path(), &args);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("json-headers") && said.contains("/links"), "{said}");
    assert!(said.contains("windthrow run steady-state --seed 7"), "no rerun command: {said}");
}

#[test]
fn a_target_that_is_killed_from_outside_ends_the_run_with_five_and_keeps_the_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let child = start(folder.path(), &["run", SCENARIO, "--seed", "7"]);
    kill(Pid::from_raw(target_of(folder.path())), Signal::SIGKILL).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = words(&output);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("the target ended in mid-run"), "{said}");
    assert!(folder.path().join("runs/latest/report.html").is_file());
}

#[test]
fn an_interrupted_run_keeps_the_evidence_and_writes_the_reports() {
    let folder = tempfile::tempdir().unwrap();
    let child = start(folder.path(), &["run", SCENARIO, "--seed", "7"]);
    let target = target_of(folder.path());
    let pid = i32::try_from(child.id()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", words(&output));
    assert!(folder.path().join("runs/latest/report.html").is_file());
    assert!(kill(Pid::from_raw(target), None).is_err(), "the target is still running");
    let output = run(folder.path(), &["recheck"]);
    assert_eq!(output.status.code(), Some(3), "nothing was violated: {}", words(&output));
}

/// The shortest scenario, with a pause of its target from the first moments almost to the end.
fn with_a_pause(folder: &Path) {
    use mock_server::faults::{Fault, Matcher, Pause, Pick, Rule, Strike, Window};
    use scenarios::catalogue::{Settings, run_plan};
    let contract = mock_server::profile::ContractProfile::linktree_v1();
    let mut plan = run_plan(&Settings::default(), contract, &[SCENARIO]);
    plan.scenarios[0].faults.push(Rule {
        id: "asleep".into(),
        window: Window { from_ms: 100, until_ms: 200 },
        matcher: Matcher::default(),
        pick: Pick::All,
        fault: Fault::Pause(Pause { on: Strike::WindowStart, for_ms: 12_000 }),
    });
    std::fs::write(folder.join("plan.json"), plans::to_bytes(&plan).0).unwrap();
}

/// The fields of proc(5) after the name: state and parent are the first two.
fn stat(pid: i32) -> Option<(char, i32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// The process that carries the scenario out: the parent of the target's guard.
fn scenario_of(target: i32) -> i32 {
    let (_, guard) = stat(target).unwrap();
    stat(guard).unwrap().1
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain for {what}");
}

/// Everybody whose environment says that they are this run's target, or were started by it.
fn targets(folder: &Path) -> Vec<i32> {
    let data = format!("DATA_DIR={}/", folder.display());
    let is_target = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one.starts_with(data.as_bytes()))
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_target).collect()
}

/// Starts a run whose target stands still, and waits until it does.
fn paused(folder: &Path) -> (Child, i32) {
    with_a_pause(folder);
    let child = start(folder, &["run", "--plan", "plan.json"]);
    let log = folder.join(format!("runs/latest/scenarios/{SCENARIO}/target.log"));
    wait_until("a target", || log.is_file());
    wait_until("the target's process", || !targets(folder).is_empty());
    let target = targets(folder)[0];
    wait_until("the pause", || stat(target).is_some_and(|(state, _)| state == 'T'));
    (child, target)
}

fn has_ended(pid: i32) -> bool {
    stat(pid).is_none_or(|(state, _)| state == 'Z')
}

#[test]
fn a_run_that_is_interrupted_while_its_target_is_paused_leaves_nobody_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (child, target) = paused(folder.path());
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", words(&output));
    assert!(folder.path().join("runs/latest/report.html").is_file());
    assert!(has_ended(target), "the target is still there");
}

#[test]
fn a_harness_that_is_killed_leaves_nobody_behind_whatever_its_target_does() {
    for is_paused in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (child, target) = if is_paused {
            paused(folder.path())
        } else {
            let child = start(folder.path(), &["run", SCENARIO, "--seed", "7"]);
            (child, target_of(folder.path()))
        };
        let scenario = scenario_of(target);
        kill(Pid::from_raw(scenario), Signal::SIGKILL).unwrap();
        wait_until("the target's end", || has_ended(target));
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(5));
    }
}

/// The process that carries a scenario out may crash at any moment.
#[test]
fn a_storm_that_is_killed_is_judged_as_far_as_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["run", SCENARIO, "--seed", "7", "--mutant", "accept-missing-on-links"];
    let child = start(folder.path(), &args);
    let target = target_once(folder.path(), |exchange| exchange.target.contains("/links"));
    kill(Pid::from_raw(scenario_of(target)), Signal::SIGKILL).unwrap();
    let output = child.wait_with_output().unwrap();
    let recheck = run(folder.path(), &["recheck"]);
    for output in [output, recheck] {
        let said = words(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("harness lost") && said.contains("SIGKILL"), "{said}");
    }
    let result = std::fs::read(folder.path().join("runs/latest/result.json")).unwrap();
    let result: serde_json::Value = serde_json::from_slice(&result).unwrap();
    for cell in result["cells"].as_array().unwrap() {
        let broken = cell["guarantee"] == "json-headers";
        assert_eq!(cell["verdict"], if broken { "violated" } else { "inconclusive" }, "{cell}");
    }
}

/// A server with a parent of its own, in a session of its own, whose first process does not know it.
const DAEMON: &str = r#"
[target.spawn]
command = ["sh", "-c", """(setsid sh -c 'sleep 600 | "$0" __reference' "$0" &); exec sleep 600""", "PROGRAM"]
[target.spawn.env]
PORT = "{port}"
LINKTREE_URL = "{mock.url}"
VAULT_URL = "{vault.url}"
VAULT_TOKEN = "{vault.token}"
ALERTS_URL = "{alerts.url}"
DATA_DIR = "{data_dir}"
"#;

#[test]
fn a_harness_that_is_killed_leaves_no_daemon_behind() {
    let folder = tempfile::tempdir().unwrap();
    let config = DAEMON.replace("PROGRAM", env!("CARGO_BIN_EXE_windthrow"));
    std::fs::write(folder.path().join("windthrow.toml"), config).unwrap();
    let child = start(folder.path(), &["run", SCENARIO, "--seed", "7"]);
    let leader = target_of(folder.path());
    let all = targets(folder.path());
    assert!(all.len() >= 4, "two shells, a sleep and a server: {all:?}");
    kill(Pid::from_raw(scenario_of(leader)), Signal::SIGKILL).unwrap();
    wait_until("their ends", || all.iter().all(|pid| has_ended(*pid)));
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(5));
}

/// Every user of the machine may read command lines, and an order names paths and secrets.
#[test]
fn the_command_line_of_a_scenario_holds_nothing_of_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let child = start(folder.path(), &["run", SCENARIO, "--seed", "7"]);
    let scenario = scenario_of(target_of(folder.path()));
    let line = std::fs::read_to_string(format!("/proc/{scenario}/cmdline")).unwrap();
    kill(Pid::from_raw(scenario), Signal::SIGKILL).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(5));
    let words: Vec<&str> = line.split_terminator('\0').collect();
    assert_eq!(words, [env!("CARGO_BIN_EXE_windthrow"), "__scenario"]);
}
