//! Tells one scenario's course: phases, fault windows, series and the strength of its evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::Standing;

/// One scenario as it ran.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioReport {
    /// The scenario's id.
    pub id: String,
    /// What it does, in a few words.
    pub title: String,
    /// The worst of its cells.
    pub verdict: Standing,
    /// How the scenario itself ended.
    pub ending: Ending,
    /// Why it did not complete.
    pub ending_reason: Option<String>,
    /// When its traffic began, as RFC 3339; absent where it never did, or where that was not recorded.
    #[serde(default)]
    pub started: Option<String>,
    /// How long it ran.
    pub duration_ms: u64,
    /// Warm-up, storm, heal, settle and the like, in order of time.
    pub phases: Vec<Phase>,
    /// The windows in which faults were armed.
    pub fault_windows: Vec<FaultWindow>,
    /// What failed in the harness itself, and what follows from it; nothing if it did its work.
    pub troubles: Vec<String>,
    /// What else is worth knowing of the integration, though it decides nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The states of the target's breakers, as far as they are certain.
    #[serde(default)]
    pub breakers: Vec<Breaker>,
    /// How much was seen, and how far the measurement can be trusted.
    pub evidence: Evidence,
    /// What the timeline shows, grouped into panels.
    pub series: Vec<Series>,
    /// Moments to point at on the timeline.
    pub markers: Vec<Marker>,
}

/// How a scenario ended, whatever was found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It ran to its end.
    #[default]
    Completed,
    /// A person or a time limit stopped it.
    Interrupted,
    /// The integration went away and did not return.
    TargetLost,
    /// It never began.
    SetupFailed,
    /// The harness failed in mid-run; what was recorded until then was judged.
    HarnessLost,
    /// What was recorded is missing, or is not what was recorded.
    EvidenceLost,
    /// The integration does not call the mock, so there was no storm.
    Unreached,
}

impl Ending {
    /// The ending in words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Interrupted => "interrupted",
            Self::TargetLost => "target lost",
            Self::SetupFailed => "setup failed",
            Self::HarnessLost => "harness lost",
            Self::EvidenceLost => "evidence lost",
            Self::Unreached => "mock not reached",
        }
    }
}

/// A stretch of the scenario with a name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Phase {
    /// What the stretch is called.
    pub name: String,
    /// When it began.
    pub from_ms: u64,
    /// When it was over.
    pub until_ms: u64,
}

/// A window in which one fault rule was armed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct FaultWindow {
    /// The rule's name in the plan.
    pub rule: String,
    /// The kind of fault.
    pub kind: String,
    /// When the rule was armed.
    pub from_ms: u64,
    /// When it was disarmed.
    pub until_ms: u64,
    /// How many exchanges it hit; 0 means that it exercised nothing.
    pub hits: u64,
}

/// What is certain of one of the target's breakers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Breaker {
    /// What it guards, such as `all calls`.
    pub guards: String,
    /// Its states, in order of time; between them nothing is certain.
    pub states: Vec<BreakerSpan>,
}

/// A stretch in which a breaker was in one state for certain.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct BreakerSpan {
    /// The state.
    pub state: BreakerState,
    /// From when on.
    pub from_ms: u64,
    /// Until when.
    pub until_ms: u64,
}

/// What a breaker does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// It lets it through.
    #[default]
    Closed,
    /// It lets a few through, to see.
    HalfOpen,
    /// It lets none through.
    Open,
}

impl BreakerState {
    /// All of them, in the order in which a breaker goes through them.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    /// The state in words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        }
    }
}

/// How much was seen, and how far the measurement can be trusted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Operations at the front door.
    pub operations: u64,
    /// Exchanges between the integration and the mock.
    pub exchanges: u64,
    /// Clicks acknowledged at the front door.
    pub clicks: u64,
    /// Exchanges that a fault acted on.
    pub faults_hit: u64,
    /// How late arrivals were sent; absent where nobody arrived.
    pub lateness: Option<Lateness>,
    /// Arrivals that the schedule asked for; absent where the generator gave no account.
    pub arrivals_planned: Option<u64>,
    /// Arrivals that were sent.
    pub arrivals_sent: u64,
    /// Simulated users; absent where the generator gave no account.
    pub users: Option<u64>,
    /// What sent the arrivals on their way, such as `open-loop`.
    pub dispatcher: Option<String>,
    /// What it cost to send them at their instants; absent where the generator did not say.
    pub dispatch: Option<Dispatch>,
    /// The most arrivals that were sent in any one second.
    pub peak_arrivals_per_s: f64,
    /// Processor time, to show who was the bottleneck.
    pub cpu: CpuTime,
    /// What the integration's processes held, and whether it grew; absent where it was not looked at.
    pub held: Option<Held>,
    /// What the judge allowed for the measurement's own error.
    pub tolerance: Tolerance,
}

/// What the integration's processes held, all together. Nothing is promised of it: a figure, no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// How often it was looked at.
    pub looks: u64,
    /// Resident memory, bytes.
    pub resident_bytes: Course,
    /// Open files and sockets; absent where they could not be counted.
    pub open_files: Option<Course>,
}

/// How a figure went: a median of its first and of its last looks, so that one of them decides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Course {
    /// The median of the first quarter of the looks.
    pub first: u64,
    /// The median of the last quarter.
    pub last: u64,
    /// The most.
    pub most: u64,
}

/// How far behind its schedule the generator was, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Lateness {
    /// The median.
    pub p50_us: u64,
    /// The 99th percentile.
    pub p99_us: u64,
    /// The worst.
    pub max_us: u64,
}

/// What it cost to send arrivals on their way at their instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Dispatch {
    /// Releases, each of one arrival or of several that had become due together.
    pub releases: u64,
    /// Of which so many after the processor was kept busy for a moment, to be exact.
    pub spins: u64,
    /// Processor time of all of it, microseconds.
    pub cpu_us: u64,
}

/// Processor time used; absent where it could not be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CpuTime {
    /// By the load generator.
    pub generator_ms: Option<u64>,
    /// By the mock Linktree.
    pub mock_ms: Option<u64>,
    /// By the integration.
    pub target_ms: Option<u64>,
}

/// What the judge allowed for the measurement's own error.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Tolerance {
    /// Added to every bound on time; absent where the machine was not measured.
    pub delta_ms: Option<f64>,
    /// The longest that the harness itself was held up; absent where nobody looked.
    pub lag_max_ms: Option<f64>,
    /// The longest of a quarter of a second that the target waited for a processor that others had;
    /// absent where nobody looked.
    pub wait_max_ms: Option<f64>,
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// What the line shows.
    pub name: String,
    /// The unit of its values.
    pub unit: String,
    /// The panel that it is drawn in, such as `load` or `latency`.
    pub group: String,
    /// Time in milliseconds and value, in order of time; values that are not finite are left out.
    #[serde(serialize_with = "finite_points")]
    pub points: Vec<(u64, f64)>,
}

/// JSON has no infinity, and a `null` in its place could not be read back.
fn finite_points<S: Serializer>(points: &[(u64, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(points.iter().filter(|(_, value)| value.is_finite()))
}

/// A moment to point at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Marker {
    /// When it was, since the traffic began; negative before.
    pub at_ms: i64,
    /// What happened, in a few words.
    pub label: String,
    /// The guarantee that it violates; nothing for a moment that is merely interesting.
    pub guarantee: Option<String>,
}
