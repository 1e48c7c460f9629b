//! Which scenarios of a plan file are not as the catalogue makes them: a verdict about another storm must
//! say so.

use crate::config::Config;
use crate::selection;
use mock_server::profile::ContractProfile;
use scenarios::catalogue::{self, Profile, SCENARIOS, Settings};
use scenarios::plan::RunPlan;

/// The scenarios that differ from those of the same seed, profile, scale, contract and policy, and `bounds`
/// where what is promised does.
#[must_use]
pub fn edited(plan: &RunPlan, config: &Config, is_mutant: bool) -> Vec<String> {
    let usual = selection::settings(config, is_mutant);
    let settings = Settings {
        profile: Profile::named(&plan.profile).unwrap_or_default(),
        time_scale: plan.time_scale,
        root_seed: plan.seed,
        declared: plan.declared.clone(),
        soak_ms: plan.soak_ms.unwrap_or(usual.soak_ms),
        ..usual
    };
    let ids: Vec<&str> = SCENARIOS.iter().map(|known| known.id).collect();
    let contract: ContractProfile = plan.contract.clone();
    let mut usual = catalogue::run_plan(&settings, contract, &ids);
    config.apply(&mut usual);
    let differs = |id: &str| usual.scenario(id) != plan.scenario(id);
    let scenarios = plan.scenarios.iter().map(|scenario| scenario.id.clone());
    let mut edited: Vec<String> = scenarios.filter(|id| differs(id)).collect();
    if usual.bounds != plan.bounds {
        edited.push("bounds".to_owned());
    }
    edited
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_edited_where_it_differs_from_the_catalogues() {
        let plan = || {
            let contract = ContractProfile::linktree_v1();
            let settings = Settings { root_seed: 7, ..selection::settings(&Config::none(), false) };
            catalogue::run_plan(&settings, contract, &["steady-state", "viral-spike"])
        };
        let check = |edit: fn(&mut RunPlan), expected: &[&str]| {
            let mut plan = plan();
            edit(&mut plan);
            assert_eq!(edited(&plan, &Config::none(), false), expected);
        };
        check(|_| {}, &[]);
        check(|plan| plan.scenarios.truncate(1), &[]);
        check(|plan| plan.scenarios[1].faults.clear(), &["viral-spike"]);
        check(|plan| plan.scenarios[0].id = "mine".into(), &["mine"]);
        check(|plan| plan.scenarios[0].seed ^= 1, &["steady-state"]);
        let bound = |plan: &mut RunPlan| {
            *plan.bounds.get_mut("click-lag").unwrap().get_mut("within_ms").unwrap() += 1;
        };
        check(bound, &["bounds"]);
        let settings = Settings {
            profile: Profile::Soak,
            time_scale: 1,
            soak_ms: 600_000,
            ..selection::settings(&Config::none(), false)
        };
        let contract = ContractProfile::linktree_v1();
        let soak = catalogue::run_plan(&settings, contract, &["ordinary-hours"]);
        assert_eq!(edited(&soak, &Config::none(), false), [""; 0]);
    }
}
