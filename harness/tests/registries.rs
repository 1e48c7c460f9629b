//! Proves that the registries of the crates fit together: every guarantee is exercised by a
//! scenario and broken by a mutant, and every name that one crate says exists in the other.

use reference::mutants::MUTANTS;
use scenarios::catalogue::{self, Profile, SCENARIOS, Settings};
use scenarios::checklist::FOLLOWS;
use scenarios::guarantees::{self, GUARANTEES};
use scenarios::plan::RunPlan;

fn everything() -> RunPlan {
    let settings =
        Settings { profile: Profile::Quick, time_scale: 10, root_seed: 7, ..Settings::default() };
    let ids: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.id).collect();
    let contract = mock_server::profile::ContractProfile::linktree_v1();
    catalogue::run_plan(&settings, contract, &ids)
}

#[test]
fn every_guarantee_is_exercised_by_a_scenario_and_broken_by_a_mutant() {
    let plan = everything();
    for guarantee in GUARANTEES {
        let id = guarantee.promise().id;
        let decided = plan.scenarios.iter().any(|one| one.decides(id));
        assert!(decided, "no scenario decides {id}");
        assert!(MUTANTS.iter().any(|mutant| mutant.breaks == id), "no mutant breaks {id}");
    }
}

#[test]
fn every_scenario_judges_known_guarantees_only() {
    for scenario in everything().scenarios {
        assert!(!scenario.guarantees.is_empty(), "{} judges nothing", scenario.id);
        for id in scenario.guarantees.iter().chain(&scenario.watches) {
            assert!(guarantees::find(id).is_some(), "{} judges unknown {id}", scenario.id);
        }
    }
}

#[test]
fn every_mutant_names_a_guarantee_and_a_scenario_that_judges_it() {
    let plan = everything();
    assert!(MUTANTS.len() >= 20, "only {} mutants", MUTANTS.len());
    for mutant in MUTANTS {
        let scenario = plan.scenario(mutant.shown_by);
        let scenario = scenario.unwrap_or_else(|| panic!("{}: no {}", mutant.id, mutant.shown_by));
        assert!(
            scenario.judges(mutant.breaks),
            "{}: {} does not judge {}",
            mutant.id,
            mutant.shown_by,
            mutant.breaks
        );
        for id in mutant.may_also_break {
            assert!(guarantees::find(id).is_some(), "{}: unknown {id}", mutant.id);
            assert_ne!(*id, mutant.breaks, "{} declares its own guarantee twice", mutant.id);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_plan_and_another_seed_another() {
    let bytes = |seed| {
        let settings = Settings {
            profile: Profile::Quick,
            time_scale: 10,
            root_seed: seed,
            ..Settings::default()
        };
        let contract = mock_server::profile::ContractProfile::linktree_v1();
        let plan = catalogue::run_plan(&settings, contract, &["brownout"]);
        windthrow::evidence::plans::to_bytes(&plan).0
    };
    assert_eq!(bytes(7), bytes(7));
    assert_ne!(bytes(7), bytes(8));
}

/// One that anybody would notice, and one that is easily overlooked.
#[test]
fn every_guarantee_is_broken_by_two_mutants_at_least() {
    for id in GUARANTEES.iter().map(|guarantee| guarantee.promise().id) {
        let mutants = MUTANTS.iter().filter(|mutant| mutant.breaks == id).count();
        assert!(mutants >= 2, "{id} has {mutants}");
    }
}

/// The table that `windthrow prove --seeds 3` printed last, reviewed and kept.
const TABLE: &str = include_str!("mutant_table.md");

fn kept_rows() -> Vec<Vec<&'static str>> {
    TABLE
        .lines()
        .skip(2)
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .map(|cells| cells[1..cells.len() - 1].to_vec())
        .collect()
}

/// Proves that no report explains a breach by another without a mutant that showed both at once.
#[test]
fn what_follows_from_what_was_seen_together() {
    for (of, causes) in FOLLOWS {
        for cause in *causes {
            let broke =
                |row: &[&str], id: &str| row[2] == id || row[4].split(", ").any(|one| one == id);
            let both = kept_rows().iter().any(|row| broke(row, of) && broke(row, cause));
            assert!(both, "no mutant breaks both {cause} and {of}");
        }
    }
}

#[test]
fn the_kept_mutant_table_has_every_mutant_caught_with_every_seed() {
    let rows = kept_rows();
    let known: Vec<_> = MUTANTS.iter().map(|m| vec![m.id, m.shown_by, m.breaks]).collect();
    let kept: Vec<_> = rows.iter().map(|row| row[..3].to_vec()).collect();
    assert_eq!(kept, known, "print the table again: windthrow prove --seeds 3");
    for row in &rows {
        assert_eq!(row[3], "3/3", "{} escaped", row[0]);
        for also in row[4].split(", ").filter(|id| !id.is_empty()) {
            let mutant = MUTANTS.iter().find(|mutant| mutant.id == row[0]).unwrap();
            assert!(mutant.may_also_break.contains(&also), "{}: undeclared {also}", row[0]);
        }
    }
}
