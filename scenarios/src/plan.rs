//! The plan: everything that a run will do, decided before it starts and written to a file.
//!
//! Phase, window and arrival times are real milliseconds since the traffic began. The contract, the
//! declared policy and most bounds are contract time; [`contract_time`] is the one place that scales
//! it.

mod alerts;
mod declared;
mod key;
mod seed;
mod times;
mod traffic;

pub use alerts::{AlertKind, AlertName, AlertNames};
pub use declared::{BreakerCounting, BreakerScope, Declared, RetryAfterScope, WindowKind};
pub use key::KeyPlan;
pub use times::{Times, contract_time, largest_scale};
pub use traffic::{Creators, MAX_ARRIVALS, MAX_RATE, Pace, Shape, Step, Traffic};

use crate::front_door::FrontDoor;
use mock_server::faults::Rule;
use mock_server::profile::ContractProfile;
use mock_server::world::TimedEvent;
use mock_server::world::population::Population;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the plan file's format.
pub const PLAN_FORMAT: u32 = 5;

/// The longest scenario: a day.
pub const MAX_DURATION_MS: u64 = 86_400_000;
/// What contract durations are divided by at the most.
pub const MAX_TIME_SCALE: u32 = 1_000;
/// The most users of one generator.
pub const MAX_USERS: u32 = 20_000;

/// Every number that guarantees promise, by guarantee and by the name of the bound, which says its
/// unit. [`crate::bounds`] fills and checks it.
pub type Bounds = BTreeMap<String, BTreeMap<String, u64>>;

/// A whole run: one plan for each scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunPlan {
    /// The version of the format, [`PLAN_FORMAT`].
    #[schemars(range(min = PLAN_FORMAT, max = PLAN_FORMAT))]
    pub format: u32,
    /// The root seed, its decimal digits in quotes.
    #[serde(with = "seed")]
    #[schemars(with = "String")]
    pub seed: u64,
    /// `quick`, `nightly` or `soak`.
    pub profile: String,
    /// How long the soak lasts for which it was made, real milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MAX_DURATION_MS))]
    pub soak_ms: Option<u64>,
    /// What contract durations are divided by, where a scenario does not need a smaller scale.
    #[schemars(range(min = 1, max = MAX_TIME_SCALE))]
    pub time_scale: u32,
    /// The assumed contract.
    pub contract: ContractProfile,
    /// What the integration says of its own policy.
    pub declared: Declared,
    /// Which alert stands for what.
    #[serde(default, skip_serializing_if = "AlertNames::is_empty")]
    pub alerts: AlertNames,
    /// What the guarantees promise, all of it written out.
    pub bounds: Bounds,
    /// The scenarios, in running order.
    pub scenarios: Vec<Plan>,
}

/// One scenario, every field written out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The scenario's id.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// What happens, in a sentence.
    #[schemars(length(max = 1_000))]
    pub summary: String,
    /// Derived from the root seed and the id.
    #[serde(with = "seed")]
    #[schemars(with = "String")]
    pub seed: u64,
    /// What contract durations are divided by in this scenario.
    #[schemars(range(min = 1, max = MAX_TIME_SCALE))]
    pub time_scale: u32,
    /// Who lives in the mock's world.
    pub population: Population,
    /// What is happening when, in order and without gaps.
    #[schemars(length(max = 1_000))]
    pub phases: Vec<Phase>,
    /// Who comes.
    #[schemars(length(max = 100))]
    pub traffic: Vec<Traffic>,
    /// What goes wrong.
    #[schemars(length(max = 200))]
    pub faults: Vec<Rule>,
    /// What happens in the mock's world, and when.
    #[schemars(length(max = 1_000))]
    pub world: Vec<TimedEvent>,
    /// The key with which it begins.
    #[serde(default, skip_serializing_if = "KeyPlan::is_usual")]
    pub key: KeyPlan,
    /// The generator's size.
    pub generator: Generator,
    /// The guarantees that this scenario's history must decide: too little seen is inconclusive.
    #[schemars(length(max = 100), inner(length(max = 64)))]
    pub guarantees: Vec<String>,
    /// The guarantees that it may break as well: a violation counts, and too little seen is left out,
    /// since this scenario was not made to show them.
    #[schemars(length(max = 100), inner(length(max = 64)))]
    pub watches: Vec<String>,
    /// Whether Linktree, vault and alert receiver speak TLS, with certificates of the run's own authority.
    #[serde(default)]
    pub tls: bool,
    /// True when this scenario must not share the machine with others.
    pub exclusive: bool,
}

/// A named stretch of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Its name, in words.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// What it is for.
    pub kind: PhaseKind,
    /// Start, real milliseconds.
    #[schemars(range(min = 0, max = MAX_DURATION_MS))]
    pub from_ms: u64,
    /// End, real milliseconds.
    #[schemars(range(min = 0, max = MAX_DURATION_MS))]
    pub until_ms: u64,
}

/// What a phase is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseKind {
    /// Caches fill; not judged for ratios.
    Warmup,
    /// No faults: the baseline.
    Control,
    /// Faults or load.
    Storm,
    /// A total outage: every upstream attempt in it fails.
    Outage,
    /// Faults are over; service must come back.
    Heal,
    /// No new visitors; backlogs drain.
    Settle,
    /// Sequential calls that fail fewer times than the breaker needs, to read retry gaps.
    RetryGaps,
    /// Sequential calls in a total outage, to read the breaker's threshold and open time.
    BreakerProbe,
}

impl PhaseKind {
    /// Whether every attempt fails in it.
    #[must_use]
    pub const fn is_total_outage(self) -> bool {
        match self {
            Self::Outage | Self::BreakerProbe => true,
            Self::Warmup
            | Self::Control
            | Self::Storm
            | Self::Heal
            | Self::Settle
            | Self::RetryGaps => false,
        }
    }

    /// Its name, as in the plan file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warmup => "warmup",
            Self::Control => "control",
            Self::Storm => "storm",
            Self::Outage => "outage",
            Self::Heal => "heal",
            Self::Settle => "settle",
            Self::RetryGaps => "retry-gaps",
            Self::BreakerProbe => "breaker-probe",
        }
    }
}

/// The size of the load generator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// Goose users: at least peak rate × tail latency.
    #[schemars(range(min = 1, max = MAX_USERS))]
    pub users: u32,
    /// A visitor gives up after this, real milliseconds.
    #[schemars(range(min = 1, max = 600_000))]
    pub timeout_ms: u64,
    /// Of a hundred arrivals 99 are sent no later than this, real milliseconds; otherwise what
    /// depends on visitors is not judged.
    #[schemars(range(min = 1, max = 60_000))]
    pub p99_lateness_ms: u64,
}

/// Far below what visitors feel, and ten times what an idle machine shows.
pub const P99_LATENESS_MS: u64 = 20;

impl RunPlan {
    /// Takes everything out of the traffic for which an integration has no route.
    pub fn leave_out(&mut self, front: &FrontDoor) {
        self.scenarios.iter_mut().for_each(|plan| traffic::leave_out(&mut plan.traffic, front));
    }

    /// The plan of one scenario.
    #[must_use]
    pub fn scenario(&self, id: &str) -> Option<&Plan> {
        self.scenarios.iter().find(|plan| plan.id == id)
    }
}

impl Plan {
    /// Whether a guarantee is judged on this scenario's history, be it decided or watched.
    #[must_use]
    pub fn judges(&self, id: &str) -> bool {
        self.guarantees.iter().chain(&self.watches).any(|named| named == id)
    }

    /// Whether this scenario was made to show a guarantee.
    #[must_use]
    pub fn decides(&self, id: &str) -> bool {
        self.guarantees.iter().any(|named| named == id)
    }

    /// What was to be decided by this scenario is watched instead; nothing where it was not.
    pub fn only_watch(&mut self, id: &str) {
        if let Some(place) = self.guarantees.iter().position(|decided| decided == id) {
            self.watches.push(self.guarantees.remove(place));
        }
    }

    /// The phase that covers `ms`, if any.
    #[must_use]
    pub fn phase_at(&self, ms: u64) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.from_ms <= ms && ms < phase.until_ms)
    }

    /// When the last phase ends, real milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        self.phases.last().map_or(0, |phase| phase.until_ms)
    }
}
