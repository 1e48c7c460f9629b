//! The plan: everything that a run will do, decided before it starts and written to a file.
//!
//! Phase, window and arrival times are real milliseconds since the traffic began. The contract and
//! the declared policy are contract time; [`Bounds`] is the one place that scales them.

use mock_server::faults::Rule;
use mock_server::profile::ContractProfile;
use mock_server::world::Edit;
use mock_server::world::population::Population;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The version of the plan file's format.
pub const PLAN_FORMAT: u32 = 1;

/// A whole run: one plan for each scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunPlan {
    /// [`PLAN_FORMAT`].
    pub format: u32,
    /// The root seed.
    pub seed: u64,
    /// `quick` or `nightly`.
    pub profile: String,
    /// What contract durations are divided by.
    pub time_scale: u32,
    /// The assumed contract.
    pub contract: ContractProfile,
    /// What the integration says of its own policy.
    pub declared: Declared,
    /// The scenarios, in running order.
    pub scenarios: Vec<Plan>,
}

/// One scenario, every field written out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The scenario's id.
    pub id: String,
    /// What happens, in a sentence.
    pub summary: String,
    /// Derived from the root seed and the id.
    pub seed: u64,
    /// Who lives in the mock's world.
    pub population: Population,
    /// What is happening when, in order and without gaps.
    pub phases: Vec<Phase>,
    /// Who comes.
    pub traffic: Vec<Traffic>,
    /// What goes wrong.
    pub faults: Vec<Rule>,
    /// What creators change.
    pub edits: Vec<Edit>,
    /// The generator's size.
    pub generator: Generator,
    /// The guarantees judged on this scenario's history.
    pub guarantees: Vec<String>,
    /// True when this scenario must not share the machine with others.
    pub exclusive: bool,
}

/// A named stretch of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Its name, in words.
    pub name: String,
    /// What it is for.
    pub kind: PhaseKind,
    /// Start, real milliseconds.
    pub from_ms: u64,
    /// End, real milliseconds.
    pub until_ms: u64,
}

/// What a phase is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// One stream of arrivals. Rates are visitors a second, real time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "mode", deny_unknown_fields)]
pub enum Traffic {
    /// Open loop: arrivals happen on schedule, whatever the integration does.
    Open {
        /// Unique in the plan.
        id: String,
        /// First arrival not before.
        from_ms: u64,
        /// Last arrival before.
        until_ms: u64,
        /// Arrivals a second over time.
        shape: Shape,
        /// Whom they visit.
        creators: Creators,
        /// Visitors that click after the page, per thousand.
        click_per_mille: u32,
    },
    /// One visitor after another: the next comes `gap_ms` after the last was answered.
    Sequential {
        /// Unique in the plan.
        id: String,
        /// First arrival.
        from_ms: u64,
        /// No arrival after this.
        until_ms: u64,
        /// How many at the most.
        calls: u32,
        /// Pause between answer and next call.
        gap_ms: u64,
        /// Whom they visit.
        creators: Creators,
        /// Whether each call is a click instead of a page view.
        click: bool,
    },
}

/// Arrivals a second over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "shape", deny_unknown_fields)]
pub enum Shape {
    /// Always the same.
    Steady {
        /// Arrivals a second.
        rate: u32,
    },
    /// Linear from one rate to another.
    Ramp {
        /// At the start.
        from_rate: u32,
        /// At the end.
        to_rate: u32,
    },
    /// A viral spike: `baseline`, then up to `baseline × factor` within `rise_ms`, held, decayed.
    Spike {
        /// Before and long after.
        baseline: u32,
        /// The peak as a multiple of the baseline.
        factor: u32,
        /// When the rise begins, after the stream's start.
        at_ms: u64,
        /// How long the rise takes.
        rise_ms: u64,
        /// How long the peak holds.
        hold_ms: u64,
        /// Time constant of the exponential decay.
        decay_ms: u64,
    },
}

/// Whom visitors choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "choice", deny_unknown_fields)]
pub enum Creators {
    /// Rank r with probability proportional to `r^-exponent`, over one group.
    Zipf {
        /// The population group's prefix.
        group: String,
        /// The exponent in thousandths.
        exponent_milli: u32,
    },
    /// Each creator of the group in turn.
    InTurn {
        /// The population group's prefix.
        group: String,
    },
}

/// The size of the load generator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// Goose users: at least peak rate × tail latency.
    pub users: u32,
    /// A visitor gives up after this, real milliseconds.
    pub timeout_ms: u64,
}

/// What the integration declares of its own policy; contract time. Judges read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// Consecutive failures that open the breaker.
    pub breaker_failures: u32,
    /// Open time.
    pub breaker_open_ms: u64,
    /// Calls let through while half-open.
    pub half_open_probes: u32,
    /// Upstream attempts for one logical page read at the most.
    pub max_attempts: u32,
    /// Base of the exponential backoff.
    pub backoff_base_ms: u64,
    /// Its growth in thousandths: 2000 doubles.
    pub backoff_factor_milli: u32,
    /// Its cap.
    pub backoff_cap_ms: u64,
    /// Scope of a `Retry-After`: `token` or `request`.
    pub retry_after_scope: RetryAfterScope,
    /// Front-door answers from stale pages or fast failures take at most this.
    pub fast_ms: u64,
    /// Requests of the window that are kept for clicks.
    pub click_slots: u32,
}

/// What a `Retry-After` holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryAfterScope {
    /// Every call with the same key.
    Token,
    /// The same logical request only.
    Request,
}

impl Default for Declared {
    /// The defaults of contract.md section 4, and the reference's retry policy.
    fn default() -> Self {
        Self {
            breaker_failures: 5,
            breaker_open_ms: 30_000,
            half_open_probes: 1,
            max_attempts: 5,
            backoff_base_ms: 1_000,
            backoff_factor_milli: 2_000,
            backoff_cap_ms: 30_000,
            retry_after_scope: RetryAfterScope::Token,
            fast_ms: 1_000,
            click_slots: 24,
        }
    }
}

/// Every bound in real time: the contract and the declaration after scaling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The limit window.
    pub window: Duration,
    /// Most requests that may leave in a window.
    pub client_cap: usize,
    /// The server's own limit in a window.
    pub hard_limit: usize,
    /// Profile read timeout, for each attempt.
    pub profile_timeout: Duration,
    /// Front-door operation timeout.
    pub operation_timeout: Duration,
    /// Click lag.
    pub click_lag: Duration,
    /// Recovery after heal and open time.
    pub recover: Duration,
    /// Breaker open time.
    pub breaker_open: Duration,
    /// Base of the backoff.
    pub backoff_base: Duration,
    /// Cap of the backoff.
    pub backoff_cap: Duration,
    /// Fast front-door answers.
    pub fast: Duration,
}

impl RunPlan {
    /// The bounds in real time.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let scaled =
            |ms: u64| Duration::from_micros(ms * 1_000 / u64::from(self.time_scale.max(1)));
        let promises = &self.contract.promises;
        Bounds {
            window: scaled(self.contract.limit.window_ms),
            client_cap: promises.client_cap as usize,
            hard_limit: self.contract.limit.requests as usize,
            profile_timeout: scaled(promises.profile_timeout_ms),
            operation_timeout: scaled(promises.operation_timeout_ms),
            click_lag: scaled(promises.click_lag_ms),
            recover: scaled(promises.recover_ms),
            breaker_open: scaled(self.declared.breaker_open_ms),
            backoff_base: scaled(self.declared.backoff_base_ms),
            backoff_cap: scaled(self.declared.backoff_cap_ms),
            fast: scaled(self.declared.fast_ms),
        }
    }

    /// The plan of one scenario.
    #[must_use]
    pub fn scenario(&self, id: &str) -> Option<&Plan> {
        self.scenarios.iter().find(|plan| plan.id == id)
    }
}

impl Plan {
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
