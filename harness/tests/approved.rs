//! Proves that what is approved of the reference and of the examples fits the scenarios as they are: whoever
//! changes a scenario, a bound or what a judge decides has it reviewed. That real runs find the same,
//! `.ci/run` asserts with `windthrow compare --exact`.

use clap::Parser;
use reports::report::Standing;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use windthrow::baseline::{Approved, Finding, folder, promised};
use windthrow::cli::{Cli, Command};
use windthrow::commands::run::{Prepared, prepare};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What is approved there is what a run with these arguments finds.
fn check(place: &str, config: Option<&str>, patterns: &[&str], allowed: &[Standing]) {
    let anew = format!("{place}: run it again, and windthrow baseline set --baseline {place}");
    let config = match config {
        None => vec!["--no-config".to_owned()],
        Some(file) => vec!["--config".to_owned(), root().join(file).display().to_string()],
    };
    let words = ["windthrow", "run"].iter().chain(patterns).map(|&word| word.to_owned());
    let Some(Command::Run(args)) = Cli::parse_from(words.chain(config)).command else {
        panic!("not run")
    };
    let Prepared { plan: run, target, .. } = prepare(&args).unwrap();
    let kind = target.kind();
    let approved = folder::read(&root().join(place)).unwrap();
    let ids = |all: &mut dyn Iterator<Item = String>| all.collect::<BTreeSet<String>>();
    assert_eq!(
        ids(&mut approved.iter().map(|one| one.scenario.clone())),
        ids(&mut run.scenarios.iter().map(|plan| plan.id.clone())),
        "{anew}"
    );
    for plan in &run.scenarios {
        let one = approved.iter().find(|one| one.scenario == plan.id).unwrap();
        let decided = plan.guarantees.iter().cloned();
        assert_eq!(ids(&mut one.guarantees.keys().cloned()), ids(&mut { decided }), "{anew}");
        let guarantees = one.guarantees.clone();
        assert_eq!(*one, Approved { guarantees, ..Approved::empty(&run, plan, kind) }, "{anew}");
        for (id, finding) in &one.guarantees {
            let Finding { verdict, bound, exercised, minimum_met, .. } = finding;
            let what = format!("{id} in {}", plan.id);
            assert!(allowed.contains(verdict), "{what} is approved as {}", verdict.word());
            assert_eq!(*bound, promised(&run, id), "{what}; {anew}");
            let held = *verdict == Standing::Held;
            assert_eq!((*exercised, *minimum_met), (held, held), "{what} was seen enough");
        }
    }
}

#[test]
fn every_promise_of_the_reference_is_approved_as_held() {
    check("reports/snapshots/reference", None, &[], &[Standing::Held]);
}

#[test]
fn every_promise_of_the_node_example_is_approved_as_held_or_not_made() {
    let folder = "harness/examples/node-linkpage";
    check(
        &format!("{folder}/windthrow-baseline"),
        Some(&format!("{folder}/windthrow.toml")),
        &[],
        &[Standing::Held, Standing::NotApplicable],
    );
}

/// The scenarios that each commit runs against it.
#[test]
fn what_each_commit_runs_of_the_python_example_is_approved_as_held_or_not_made() {
    let folder = "harness/examples/python-linkpage";
    let scenarios =
        ["steady-state", "calibration", "outage-and-replay", "crash-and-replay", "hostile-content"];
    let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(
        ci.contains(&format!("run {} ", scenarios.join(" "))),
        "these are not what .ci/run runs"
    );
    check(
        &format!("{folder}/windthrow-baseline"),
        Some(&format!("{folder}/windthrow.toml")),
        &scenarios,
        &[Standing::Held, Standing::NotApplicable],
    );
}
