//! Draws plans, contracts and declarations with absurd numbers: each is refused in words, or makes a run
//! of bounded size. None panics, aborts or goes on for ever.

use crate::catalogue::{SCENARIOS, Settings, run_plan};
use crate::plan::{Declared, MAX_ARRIVALS, RunPlan};
use crate::plan_check::derive_phases;
use crate::traffic::schedule::Schedule;
use mock_server::clock::{Clock, Moment};
use mock_server::history::History;
use mock_server::listen::Listen;
use mock_server::profile::ContractProfile;
use mock_server::ranges;
use mock_server::server::{MockConfig, MockLinktree};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Arc, LazyLock};

/// The whole catalogue.
static LAWFUL: LazyLock<RunPlan> = LazyLock::new(|| {
    let ids: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.id).collect();
    run_plan(&Settings::default(), ContractProfile::linktree_v1(), &ids)
});

fn absurd() -> impl Strategy<Value = u64> {
    prop_oneof![
        prop::sample::select(vec![0_u64, 1, 2, 99, 1_000, 65_535, 3_600_000, 86_400_000]),
        prop::sample::select(vec![1_000_000_000_u64, 1 << 31, u64::from(u32::MAX), 1 << 53]),
        prop::sample::select(vec![i64::MAX as u64, 1 << 63, u64::MAX - 1, u64::MAX]),
        any::<u64>(),
        0..100_000_u64,
    ]
}

/// Puts a number in the place of the `nth` one.
fn put(value: &mut Value, nth: &mut usize, number: u64) -> bool {
    match value {
        Value::Number(_) if *nth == 0 => {
            *value = number.into();
            true
        }
        Value::Number(_) => {
            *nth -= 1;
            false
        }
        Value::Array(items) => items.iter_mut().any(|item| put(item, nth, number)),
        Value::Object(members) => members.values_mut().any(|member| put(member, nth, number)),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

fn numbers(value: &Value) -> usize {
    match value {
        Value::Number(_) => 1,
        Value::Array(items) => items.iter().map(numbers).sum(),
        Value::Object(members) => members.values().map(numbers).sum(),
        Value::Null | Value::Bool(_) | Value::String(_) => 0,
    }
}

/// A value with some of its numbers replaced; none where a type has no room for one of them, which is
/// refused when the file is read.
fn replaced<T: Serialize + DeserializeOwned>(
    lawful: &T,
    changes: &[(prop::sample::Index, u64)],
) -> Option<T> {
    let mut value = serde_json::to_value(lawful).unwrap();
    let count = numbers(&value);
    for (index, number) in changes {
        assert!(put(&mut value, &mut index.index(count), *number));
    }
    serde_json::from_value(value).ok()
}

/// What a run would do before its traffic begins.
fn begin(run: &RunPlan) {
    for plan in &run.scenarios {
        let schedule = Schedule::of(plan).unwrap();
        let calls: usize = schedule.sequences.iter().map(|one| one.calls.len()).sum();
        assert!(((schedule.arrivals.len() + calls) as u64) < 2 * MAX_ARRIVALS);
        assert!(!derive_phases(run, plan).is_empty());
        let _ = run.times_in(plan);
        let mock = MockLinktree::start(MockConfig {
            profile: run.contract.clone(),
            time_scale: plan.time_scale,
            seed: plan.seed,
            population: plan.population.clone(),
            world: plan.world.clone(),
            rules: plan.faults.clone(),
            listen: Listen::default(),
            alert_fields: Default::default(),
            port: 0,
            clock: Clock::start(),
            recorder: Arc::new(History::new(0, None)),
            secrets: vec![mock_server::contract::SecretsManager::Vault],
            vault_token: "t".into(),
            vault_port: 0,
            tls: None,
        });
        let mock = mock.unwrap_or_else(|error| panic!("{}: {error}", plan.id));
        mock.arm(Moment(u64::MAX / 2));
        let first = plan.population.first_handle().unwrap();
        assert!(plan.population.creator(plan.seed, &first).is_some());
        mock.stop();
    }
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u64)>> {
    prop::collection::vec((any::<prop::sample::Index>(), absurd()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_plan_with_absurd_numbers_is_refused_in_words_or_begins(
        scenario in any::<prop::sample::Index>(),
        changes in changes(),
    ) {
        let mut one = LAWFUL.clone();
        one.scenarios = vec![scenario.get(&LAWFUL.scenarios).clone()];
        if let Some(run) = replaced(&one, &changes) {
            match run.check() {
                Ok(()) => begin(&run),
                Err(problems) => for problem in problems {
                    prop_assert!(!problem.path.is_empty() && !problem.problem.is_empty());
                    prop_assert!(!problem.advice.is_empty());
                },
            }
        }
    }

}

proptest! {
    // Each of them makes the whole catalogue.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_contract_and_a_declaration_within_their_bounds_make_plans_of_the_catalogue(
        of_contract in changes(),
        of_declared in changes(),
        time_scale in 1_u32..=60,
    ) {
        let contract = replaced(&ContractProfile::linktree_v1(), &of_contract);
        let declared = replaced(&Declared::default(), &of_declared);
        let contract = contract.filter(|contract| contract.wrong().is_empty());
        let declared = declared.filter(|declared| ranges::outside(declared).is_empty());
        // The other half is refused before any plan is made.
        let contract = contract.unwrap_or_else(ContractProfile::linktree_v1);
        let settings = Settings { time_scale, declared: declared.unwrap_or_default(), ..Settings::default() };
        let ids: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.id).collect();
        let run = run_plan(&settings, contract, &ids);
        if let Err(problems) = run.check() {
            prop_assert!(problems.iter().all(|problem| !problem.advice.is_empty()));
        }
    }
}
