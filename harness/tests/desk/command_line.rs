//! Proves what the real binary prints and which exit code it ends with, for good and bad input.

use scenarios::catalogue::{Settings, run_plan};
use scenarios::plan::PhaseKind;
use std::path::Path;
use std::process::{Command, Output};
use windthrow::config::target::TargetSpec;
use windthrow::evidence::folder::{RunFolder, RunIdentity};
use windthrow::evidence::plans;

fn windthrow(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_windthrow"))
        .args(args)
        .current_dir(folder)
        .env_remove("WINDTHROW_SEED")
        .output()
        .expect("the binary runs")
}

/// Runs in an empty folder; the exit code and these words on standard error are expected.
fn check(args: &[&str], code: i32, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let output = windthrow(folder.path(), args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?} said {said}");
    for word in words {
        assert!(said.contains(word), "{args:?} does not say {word:?} but {said}");
    }
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "{args:?} left files behind");
}

#[test]
fn an_unknown_scenario_matches_nothing_and_the_nearest_is_named() {
    check(&["viral-spkie"], 4, &["no scenario matches", "did you mean viral-spike"]);
}

#[test]
fn an_unknown_mutant_is_a_usage_error() {
    check(&["run", "--mutant", "breaker-opens-at-sex"], 2, &["breaker-opens-at-six"]);
}

#[test]
fn an_unknown_guarantee_is_a_usage_error() {
    check(&["run", "--guarantee", "client-rate-cup"], 2, &["client-rate-cap"]);
}

#[test]
fn an_unknown_tag_is_a_usage_error_and_all_are_named() {
    check(
        &["run", "--tag", "braeker"],
        2,
        &["no tag braeker", "the tags are: alerts, analytics, baseline, batches, breaker"],
    );
}

#[test]
fn tags_and_patterns_that_no_scenario_has_together_match_nothing() {
    let args = ["run", "calibration", "--tag", "load", "--tag", "crash"];
    check(&args, 4, &["no scenario matches calibration --tag load --tag crash", "There are:"]);
}

#[test]
fn an_unknown_reporter_is_a_usage_error() {
    check(&["run", "--reporter", "htlm"], 2, &["html"]);
}

#[test]
fn a_missing_plan_file_is_a_usage_error() {
    check(&["run", "--plan", "no-such.json"], 2, &["no-such.json", "failed to read"]);
}

/// Files of a run whose plan calls the spike an outage.
fn write_a_false_phase(folder: &Path) {
    let contract = mock_server::profile::ContractProfile::linktree_v1();
    let mut run = run_plan(&Settings::default(), contract, &["viral-spike"]);
    let phases = &mut run.scenarios[0].phases;
    phases.iter_mut().filter(|one| one.kind == PhaseKind::Storm).for_each(|storm| {
        storm.kind = PhaseKind::Outage;
    });
    std::fs::write(folder.join("plan.json"), plans::to_bytes(&run).0).unwrap();
    let identity = RunIdentity::new("edited", "", TargetSpec::Embedded { mutant: None });
    RunFolder { path: folder.to_owned() }.write_identity(&identity).unwrap();
}

#[test]
fn a_phase_that_is_not_what_it_is_called_is_refused_before_a_run_and_when_it_is_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    write_a_false_phase(folder.path());
    for args in [&["run", "--plan", "plan.json"][..], &["recheck", "."]] {
        let output = windthrow(folder.path(), args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?} said {said}");
        let place = "scenarios[0].phases.phase 2 (the spike).kind";
        for words in [place, "it is called outage", "no rule fails all attempts", "call it storm"] {
            assert!(said.contains(words), "{args:?} does not say {words:?} but {said}");
        }
        assert!(!folder.path().join("runs").exists(), "{args:?} ran");
    }
}

#[test]
fn a_seed_that_is_no_number_is_a_usage_error() {
    check(&["run", "--seed", "ten"], 2, &["whole number"]);
}

#[test]
fn a_variable_counts_where_no_flag_says_otherwise_and_is_named_when_it_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let said = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windthrow"));
        command.args(args).current_dir(folder.path());
        command.env("WINDTHROW_SEED", "ten").env("WINDTHROW_CONFIG", "none.toml");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(said(&["run"]).contains("failed to read none.toml"));
    assert!(said(&["run", "--config", "mine.toml"]).contains("failed to read mine.toml"));
    assert!(said(&["run", "--no-config"]).contains("WINDTHROW_SEED holds no seed"));
    let flag = said(&["run", "--no-config", "--seed", "7", "--contract", "none.toml"]);
    assert!(!flag.contains("WINDTHROW_SEED") && flag.contains("none.toml"), "{flag}");
}

#[test]
fn a_run_that_does_not_exist_matches_nothing() {
    check(&["recheck", "nowhere"], 4, &["no run nowhere"]);
}

#[test]
fn an_unknown_id_cannot_be_explained() {
    check(&["explain", "client-rate-cup"], 4, &["client-rate-cap"]);
}

#[test]
fn a_broken_plan_file_is_shown_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{{\n  \"format\": {},\n  \"sed\": 7\n}}\n", scenarios::plan::PLAN_FORMAT);
    std::fs::write(folder.path().join("p.json"), text).unwrap();
    let output = windthrow(folder.path(), &["run", "--plan", "p.json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("p.json") && said.contains("unknown field `sed`"), "{said}");
}

#[test]
fn lists_and_explanations_are_complete() {
    let folder = tempfile::tempdir().unwrap();
    for (what, some) in [
        ("--guarantees", "client-rate-cap"),
        ("--mutants", "breaker-opens-at-six"),
        ("--faults", "lose-answer"),
        ("--json", "viral-spike"),
    ] {
        let output = windthrow(folder.path(), &["list", what]);
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains(some), "{what}");
        let output = windthrow(folder.path(), &["explain", some]);
        assert!(output.status.success(), "{some}");
    }
}

#[test]
fn scenarios_are_listed_with_their_tags_and_chosen_by_them() {
    let folder = tempfile::tempdir().unwrap();
    let output = windthrow(folder.path(), &["list", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let listed = listed.as_array().unwrap();
    let crash = listed.iter().find(|one| one["id"] == "crash-and-replay").unwrap();
    assert!(crash["tags"].as_str().unwrap().contains("crash"), "{crash}");
    // The scenario that is chosen is refused before anything starts: this target is not ours.
    let target = "[target.url]\nbase = \"http://127.0.0.1:9\"\nmock_port = 4010\n";
    std::fs::write(folder.path().join("windthrow.toml"), target).unwrap();
    let output = windthrow(folder.path(), &["run", "--tag", "crash"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("crash-and-replay kills the target"), "{said}");
}

/// What the README prints for one's own service can be typed: scenarios and configurations are there, and
/// accepted. That it ends as printed, the nightly run shows.
#[test]
fn what_the_readme_prints_for_ones_own_service_is_accepted() {
    let readme = include_str!("../../../README.md");
    let section = readme.split("## Your own service").nth(1).unwrap();
    let block = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let commands = block.lines().filter_map(|line| line.split("windthrow run ").nth(1));
    let commands: Vec<&str> = commands.map(|rest| rest.split('#').next().unwrap()).collect();
    assert!(commands.iter().any(|command| command.contains("node-linkpage")), "{block}");
    assert!(commands.iter().any(|command| command.contains("python-linkpage")), "{block}");
    for command in commands {
        // One pattern that matches nothing keeps the storm from coming.
        let args: Vec<&str> =
            ["run", "no-storm"].into_iter().chain(command.split_whitespace()).collect();
        let output = windthrow(root, &args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{command}: {said}");
        let rest = said.split("no scenario matches no-storm").nth(1).unwrap();
        assert!(rest.starts_with("\n") || rest.starts_with(" (of "), "{command}: {said}");
    }
}
