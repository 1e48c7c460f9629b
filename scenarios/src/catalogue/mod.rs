//! The catalogue of scenarios: each is a value, written to the plan file and editable there.
//!
//! A scenario begins with a warm-up and a fault-free control phase, then storms, heals, and
//! settles long enough for every click that is still deliverable to be late. Where a duration
//! mirrors the contract it is [`Settings::contract`] time and shrinks with the time scale; what
//! stands on the wire (`Retry-After`) and the visitors' own pace are real time; how many pages there are,
//! how often they expire and how many visitors click is the same in every limit window.
//!
//! # A new scenario
//!
//! 1. `catalogue/<name>.rs`: its [`ScenarioInfo`], and what its plan adds to the common skeleton.
//!    `steady_state.rs` is the smallest example; `rate_limit_storm.rs` one with faults.
//! 2. This file: its `mod` line and its line in [`SCENARIOS`].
//!
//! What several scenarios are put together from is in `parts.rs`, that of those with one visitor after
//! the other in `one_by_one.rs`, and who comes in all of them besides in `crowd.rs`. The command line,
//! the lists and the tests, here and in `harness/tests/registries.rs`, take it from the registry. All
//! scenarios together must fit into the time that the quick profile is promised to take (`harness/src/schedule.rs`).

pub mod brownout;
pub mod calibration;
pub mod campaign_launch;
pub mod close_to_the_limit;
pub mod crash_and_replay;
mod crowd;
pub mod feature_tour;
pub mod flapping;
pub mod gray_failure;
pub mod hostile_content;
pub mod key_rotation_under_load;
pub mod kinds_of_failure;
pub mod long_lists;
pub mod long_tail;
mod one_by_one;
pub mod one_in_a_hundred;
pub mod ordinary_hours;
pub mod outage_and_replay;
mod parts;
pub mod rate_limit_storm;
pub mod retry_gaps;
pub mod slow_analytics;
pub mod slow_silent_locked_out;
pub mod steady_state;
pub mod thundering_herd;
pub mod tls_faults;
pub mod viral_spike;
pub mod webhook_flood;
pub mod wrong_environment;
pub mod wrong_environment_in_staging;

use crate::bounds;
use crate::history::Tolerances;
use crate::plan::{AlertNames, Declared, PLAN_FORMAT, Plan, RunPlan, largest_scale};
use mock_server::profile::ContractProfile;
use mock_server::seed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// How thorough a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// All scenarios in under two minutes at time scale 10.
    #[default]
    Quick,
    /// Longer storms and more visitors, for a machine at night.
    Nightly,
    /// Hours of what lasts: the scenarios with the tag [`SOAK`] alone.
    Soak,
}

/// Each of them.
pub const PROFILES: [Profile; 3] = [Profile::Quick, Profile::Nightly, Profile::Soak];

impl Profile {
    /// Its name, as in the plan file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Nightly => "nightly",
            Self::Soak => "soak",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        PROFILES.into_iter().find(|profile| profile.name() == name)
    }

    /// What contract durations are divided by where nobody says otherwise.
    #[must_use]
    pub const fn usual_scale(self) -> u32 {
        match self {
            Self::Quick => QUICK_SCALE,
            Self::Nightly | Self::Soak => 1,
        }
    }
}

/// The shortest soak, real milliseconds: a minute, to try it.
pub const MIN_SOAK_MS: u64 = 60_000;
/// The longest: what comes before and after fits into the day that a scenario may last.
pub const MAX_SOAK_MS: u64 = 23 * 3_600_000;
/// As long as a soak lasts where nobody says otherwise.
pub const USUAL_SOAK_MS: u64 = 2 * 3_600_000;

/// The time scale for which the lengths of stretches and the shares of visitors are written.
const QUICK_SCALE: u32 = 10;

/// What scenarios are built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How thorough.
    pub profile: Profile,
    /// What contract durations are divided by; 0 counts as 1.
    pub time_scale: u32,
    /// The seed of the run, from which each scenario derives its own.
    pub root_seed: u64,
    /// What the integration says of its own policy.
    pub declared: Declared,
    /// How long the profile [`Profile::Soak`] lasts, real milliseconds.
    pub soak_ms: u64,
    /// Whether it takes the time scale from nobody, so that all scenarios run at one.
    pub has_own_scale: bool,
    /// Whether it is told with which role it logs in at the vault, so that its token may expire.
    pub logs_in: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            profile: Profile::Quick,
            time_scale: QUICK_SCALE,
            root_seed: 0,
            declared: Declared::default(),
            soak_ms: USUAL_SOAK_MS,
            has_own_scale: false,
            logs_in: false,
        }
    }
}

impl Settings {
    /// Real milliseconds of a contract duration, at least 1.
    #[must_use]
    pub fn contract(&self, ms: u64) -> u64 {
        (ms / u64::from(self.time_scale.max(1))).max(1)
    }

    /// Real milliseconds of a stretch in which so much is to happen as in `quick_ms` of the quick
    /// profile: as much of the limit's window as there, since what is called is called within that, and
    /// four times as long at night.
    #[must_use]
    pub fn stretch(&self, quick_ms: u64) -> u64 {
        let longer = match self.profile {
            Profile::Quick | Profile::Soak => 1,
            Profile::Nightly => 4,
        };
        (quick_ms * longer).max(self.as_quick(quick_ms))
    }

    /// Real milliseconds of as much of the limit's window as `quick_ms` are of the quick profile's, and
    /// no fewer than these.
    fn as_quick(&self, quick_ms: u64) -> u64 {
        quick_ms.max(self.contract(quick_ms * u64::from(QUICK_SCALE)))
    }

    /// So many of a thousand visitors, that as many of them come in a limit window as in the quick
    /// profile: visitors come in real time.
    #[must_use]
    pub fn share(&self, quick_per_mille: u32) -> u32 {
        let scale = self.time_scale.clamp(1, QUICK_SCALE);
        (quick_per_mille * scale).div_ceil(QUICK_SCALE)
    }

    /// The same at the largest time scale, up to this, at which the base of the declared backoff is longer
    /// than timers are inexact; as it is where none shows it, or nobody would tell the integration.
    fn showing_backoff(&self) -> Self {
        let exact = Duration::from_micros(Tolerances::default().epsilon_us);
        let shortest = Duration::from_millis(self.declared.shortest_backoff_ms());
        let largest = largest_scale(shortest, exact);
        if largest == 0 { self.clone() } else { self.at_most(largest) }
    }

    /// The same at no larger time scale than this; as it is where nobody would tell the integration.
    fn at_most(&self, largest: u32) -> Self {
        let scale = self.time_scale;
        let time_scale = if self.has_own_scale { scale } else { largest.min(scale) };
        Self { time_scale, ..self.clone() }
    }

    /// `max-age` of the assumed contract, real milliseconds.
    fn max_age_ms(&self) -> u64 {
        let cache = ContractProfile::linktree_v1().cache;
        u64::from(cache.max_age_on_the_wire(self.time_scale)) * 1_000
    }

    /// The seed of one scenario, so that it reproduces alone.
    #[must_use]
    pub fn seed(&self, id: &str) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = seed::derive(self.root_seed, &["plan", id]);
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// The tag of scenarios that the quick profile leaves out unless they are asked for: it would not end within
/// its time with them. What they decide is decided by others, too, or needs more time than it has.
pub const NIGHT: &str = "night";

/// The tag of scenarios whose nature is time. The others are over when their storm is, however long one waits:
/// the profile [`Profile::Soak`] does not have them, and the others have these when they are asked for.
pub const SOAK: &str = "soak";

/// One entry of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct ScenarioInfo {
    /// The id, as on the command line.
    pub id: &'static str,
    /// What happens, in a sentence.
    pub summary: &'static str,
    /// Words to select by.
    pub tags: &'static [&'static str],
    /// The guarantees that its history must decide; those that no scenario may break are watched besides.
    pub guarantees: &'static [&'static str],
    /// Builds what is the scenario's own; [`ScenarioInfo::plan`] is the whole plan.
    pub build: fn(&Settings) -> Plan,
}

impl ScenarioInfo {
    /// Whether a profile has it, unasked.
    #[must_use]
    pub fn is_of(&self, profile: Profile) -> bool {
        let [night, soak] = [NIGHT, SOAK].map(|tag| self.tags.contains(&tag));
        match profile {
            Profile::Quick => !night && !soak,
            Profile::Nightly => !soak,
            Profile::Soak => soak,
        }
    }

    /// Whether a profile can have it, asked for or not.
    #[must_use]
    pub fn fits(&self, profile: Profile) -> bool {
        match profile {
            Profile::Quick | Profile::Nightly => true,
            Profile::Soak => self.is_of(profile),
        }
    }

    /// The plan: what is the scenario's own, and who comes in every scenario.
    #[must_use]
    pub fn plan(&self, settings: &Settings) -> Plan {
        let plan = (self.build)(settings);
        let own = Settings { time_scale: plan.time_scale, ..settings.clone() };
        crowd::join(plan, &own)
    }
}

/// Every scenario, in reading order.
pub const SCENARIOS: &[&ScenarioInfo] = &[
    &steady_state::INFO,
    &viral_spike::INFO,
    &thundering_herd::INFO,
    &rate_limit_storm::INFO,
    &brownout::INFO,
    &gray_failure::INFO,
    &outage_and_replay::INFO,
    &flapping::INFO,
    &long_tail::INFO,
    &crash_and_replay::INFO,
    &calibration::INFO,
    &retry_gaps::INFO,
    &kinds_of_failure::INFO,
    &slow_analytics::INFO,
    &campaign_launch::INFO,
    &key_rotation_under_load::INFO,
    &wrong_environment::INFO,
    &wrong_environment_in_staging::INFO,
    &feature_tour::INFO,
    &long_lists::INFO,
    &tls_faults::INFO,
    &hostile_content::INFO,
    &webhook_flood::INFO,
    &one_in_a_hundred::INFO,
    &slow_silent_locked_out::INFO,
    &close_to_the_limit::INFO,
    &ordinary_hours::INFO,
];

/// The scenario with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static ScenarioInfo> {
    SCENARIOS.iter().copied().find(|scenario| scenario.id == id)
}

/// Every tag that a scenario has.
#[must_use]
pub fn tags() -> BTreeSet<&'static str> {
    SCENARIOS.iter().flat_map(|scenario| scenario.tags).copied().collect()
}

/// The plan of a run: the scenarios with these ids in the order of the catalogue, or all of them
/// when there are no ids. Ask [`find`] first: an unknown id adds nothing. What the contract promises
/// otherwise than by default goes into the plan's bounds.
#[must_use]
pub fn run_plan(settings: &Settings, mut contract: ContractProfile, ids: &[&str]) -> RunPlan {
    let wanted = |scenario: &&&ScenarioInfo| ids.is_empty() || ids.contains(&scenario.id);
    let mut bounds = bounds::defaults();
    bounds::put(&mut bounds, std::mem::take(&mut contract.promises));
    RunPlan {
        format: PLAN_FORMAT,
        seed: settings.root_seed,
        profile: settings.profile.name().to_owned(),
        soak_ms: (settings.profile == Profile::Soak).then_some(settings.soak_ms),
        time_scale: settings.time_scale.max(1),
        contract,
        declared: settings.declared.clone(),
        alerts: AlertNames::new(),
        bounds,
        scenarios: SCENARIOS
            .iter()
            .filter(wanted)
            .map(|scenario| scenario.plan(settings))
            .collect(),
    }
}

#[cfg(test)]
mod tests;
