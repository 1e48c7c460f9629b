//! Proves with the real binary that every command which is printed for others to copy can be run: those of the
//! README under "Use", and those of the workflow that `init` writes. The service does not come up, so that
//! each run is over at once, and all else of it is there.

use crate::shell::{Desk, SERVICE};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use windthrow::commands::init;

const NIGHTLY: &str = include_str!("../../../.ci/nightly");
const CI: &str = include_str!("../../../.ci/run");

/// Lines that no test has the time for, and who runs them. The other blocks of the README are run by
/// `what_is_new.rs`, `mock_serve.rs` and, for one's own service, `.ci/nightly`.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("windthrow prove --seeds 3", NIGHTLY, "prove --seeds 3"),
    ("windthrow prove --honest --seeds 10", NIGHTLY, "prove --honest --seeds 10"),
    ("windthrow run --mutant breaker-opens-at-six", CI, "run steady-state --mutant"),
];

/// The first block of shell commands after a heading of the README.
fn block(heading: &str) -> &'static str {
    let readme = include_str!("../../../README.md");
    let section = readme.split(heading).nth(1).unwrap_or_else(|| panic!("no {heading}"));
    section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap()
}

fn is_elsewhere(line: &str) -> bool {
    let found = ELSEWHERE.iter().find(|(start, ..)| line.starts_with(start));
    if let Some((_, file, what)) = found {
        assert!(file.contains(what), "nobody runs {line}");
    }
    found.is_some()
}

#[test]
fn what_the_readme_prints_for_daily_use_can_be_run() {
    let desk = Desk::with(SERVICE);
    let mut ran = 0;
    for line in block("\n## Use\n").lines().filter(|line| !is_elsewhere(line)) {
        let runs = ["windthrow run ", "windthrow viral-spike", "windthrow recheck"];
        let is_run = runs.iter().any(|start| line.starts_with(start));
        // What could not be set up ends with 5.
        desk.sh(line).ends_with(if is_run { 5 } else { 0 });
        ran += 1;
    }
    assert!(ran >= 15, "{ran}");
}

/// The `run:` lines of a workflow, in order.
fn steps(workflow: &str) -> Vec<&str> {
    workflow.lines().filter_map(|line| line.trim().strip_prefix("run: ")).collect()
}

/// A program of this name that tells how it was called.
fn pretend(desk: &Desk, name: &str) {
    let path = desk.programs().join(name);
    fs::write(&path, format!("#!/bin/sh\necho {name} \"$@\"\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn every_line_of_the_workflow_that_init_writes_can_be_run_in_its_order() {
    let desk = Desk::with(SERVICE);
    desk.sh("windthrow init").ends_with(0).says(&["left ./windthrow.toml as it is"]);
    let file = desk.folder.join(".github/workflows/windthrow.yml");
    let workflow = fs::read_to_string(file).unwrap();
    assert_eq!(workflow, init::workflow());
    // The toolchain and its installer ask the network, and compile for minutes.
    ["rustup", "cargo"].into_iter().for_each(|name| pretend(&desk, name));
    let [toolchain, install, storm] = steps(&workflow)[..] else { panic!("{workflow}") };
    let environment = "REPOSITORY=https://example.org/windthrow.git REVISION=v1 WINDTHROW_SEED=19876543210 \
                       GITHUB_STEP_SUMMARY=summary.md";
    // As GitHub calls the shell.
    let ran = |line: &str| desk.sh(&format!("export {environment}; bash -e -c '{line}'"));
    let rust = env!("CARGO_PKG_RUST_VERSION");
    ran(toolchain)
        .ends_with(0)
        .says(&[&format!("rustup toolchain install {rust} --profile minimal\n")]);
    ran(install).ends_with(0).says(&[&format!(
        "cargo +{rust} install --locked --git https://example.org/windthrow.git --rev v1 {}\n",
        env!("CARGO_PKG_NAME")
    )]);
    let said = ran(storm).ends_with(5);
    said.says(&["seed 19876543210", "title=windthrow::and "]);
    // What the steps after it publish.
    for (published, begins) in [("runs/latest/junit.xml", "<?xml"), ("summary.md", "## ")] {
        let text = fs::read_to_string(desk.folder.join(published)).unwrap();
        assert!(text.starts_with(begins), "{published}: {text}");
    }
    assert!(workflow.contains("report_paths: runs/latest/junit.xml\n"));
}
