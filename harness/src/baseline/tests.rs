//! Findings for tests, and what a baseline says of a run.

use super::*;
use mock_server::profile::ContractProfile;
use reports::report::{GuaranteeReport, Strength};
use scenarios::catalogue::{SCENARIOS, Settings, run_plan};

/// As everybody likes it.
pub const HELD: Standing = Standing::Held;

/// A finding of a promise that was put to the test, as far as the verdict allows.
pub fn finding(verdict: Standing) -> Finding {
    let seen = matches!(verdict, Standing::Held | Standing::Violated);
    Finding {
        verdict,
        severity: Severity::Must,
        bound: String::new(),
        exercised: seen,
        minimum_met: seen,
    }
}

/// A scenario with these verdicts.
pub fn approved(scenario: &str, verdicts: &[(&str, Standing)]) -> Approved {
    let pair = |(id, verdict): &(&str, Standing)| ((*id).to_owned(), finding(*verdict));
    Approved {
        scenario: scenario.to_owned(),
        profile: "quick".to_owned(),
        time_scale: 10,
        contract: "linktree-v1".to_owned(),
        target: "embedded".to_owned(),
        plan: "0123456789ab".to_owned(),
        reason: None,
        watches: vec!["json-headers".to_owned()],
        guarantees: verdicts.iter().map(pair).collect(),
    }
}

fn planned(seed: u64) -> RunPlan {
    let settings = Settings { root_seed: seed, ..Settings::default() };
    let ids: Vec<&str> = SCENARIOS.iter().map(|one| one.id).collect();
    run_plan(&settings, ContractProfile::linktree_v1(), &ids)
}

#[test]
fn the_seed_is_no_part_of_what_is_approved_and_everything_else_is() {
    let prints = |run: &RunPlan| -> Vec<String> {
        run.scenarios.iter().map(|plan| fingerprint(run, plan)).collect()
    };
    let run = planned(7);
    (8..12).for_each(|seed| assert_eq!(prints(&run), prints(&planned(seed))));
    let mut edited = run.clone();
    edited.scenarios[0].phases[0].until_ms += 1;
    // A fault more, and one less that happens in the world.
    let fault = edited.scenarios[3].faults[0].clone();
    edited.scenarios[3].faults.push(fault);
    let busy = edited.scenarios.iter().rposition(|plan| !plan.world.is_empty()).unwrap();
    edited.scenarios[busy].world.pop();
    let differing = prints(&run).iter().zip(prints(&edited)).filter(|(a, b)| **a != *b).count();
    assert_eq!(differing, 3);
    let mut declared = run.clone();
    declared.declared.breaker_failures += 1;
    let differing = prints(&run).iter().zip(prints(&declared)).filter(|(a, b)| **a != *b).count();
    assert_eq!(differing, run.scenarios.len());
}

/// A report in which `cell` stands for one promise of `steady-state`.
fn report(cells: Vec<Cell>) -> Report {
    let guarantee =
        |cell: &Cell| GuaranteeReport { id: cell.guarantee.clone(), ..GuaranteeReport::default() };
    let guarantees = cells.iter().map(guarantee).collect();
    Report { cells, guarantees, ..Report::default() }
}

fn cell(guarantee: &str, verdict: Standing, seen: u64) -> Cell {
    let strength = vec![Strength { name: "calls".into(), seen, least: 20 }];
    let scenario = "steady-state".to_owned();
    Cell { guarantee: guarantee.to_owned(), scenario, verdict, seen, strength, ..Cell::default() }
}

#[test]
fn a_finding_says_what_was_seen_without_a_number_of_the_run() {
    let mut run = planned(7);
    run.scenarios.retain(|plan| plan.id == "steady-state");
    run.scenarios[0].guarantees =
        ["pages-served", "click-lag", "base-url"].map(String::from).into();
    run.scenarios[0].watches = ["json-headers", "hard-limit"].map(String::from).into();
    let cells = vec![
        cell("pages-served", Standing::Held, 700),
        cell("click-lag", Standing::Inconclusive, 3),
        cell("json-headers", Standing::Held, 100),
        cell("hard-limit", Standing::Violated, 100),
    ];
    let found = Approved::of(&report(cells), &run);
    let [found] = found.as_slice() else { panic!("{found:?}") };
    let served = Finding {
        bound: "fast_ms = 1000, served_percent = 99".to_owned(),
        ..finding(Standing::Held)
    };
    let late = Finding {
        bound: "within_ms = 60000".to_owned(),
        exercised: true,
        ..finding(Standing::Inconclusive)
    };
    // What was to be decided and has no cell was not judged; what is watched and held goes without saying.
    let expected = [
        ("pages-served", served),
        ("click-lag", late),
        ("base-url", finding(Standing::Inconclusive)),
        ("hard-limit", finding(Standing::Violated)),
    ];
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(id, finding)| (id.to_owned(), finding)).collect();
    assert_eq!(found.guarantees, expected);
    let unsound: Vec<&str> = found.unsound().map(|(id, _)| id).collect();
    assert_eq!(unsound, ["base-url", "click-lag", "hard-limit"]);
}
