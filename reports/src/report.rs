//! Holds everything a finished run has to say, in plain public fields.
//!
//! All times are milliseconds since the start of the scenario unless a name
//! says otherwise; the unit is always the last word of the name. Order is the
//! caller's and is kept: guarantees in checklist order, scenarios as they ran.

mod guarantee;
mod identity;
mod measure;
mod news;
mod scenario;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use guarantee::{
    Cell, CounterExample, GuaranteeReport, NotTested, Priority, Severity, Strength,
};
pub use identity::{Contract, Identity, Machine, TargetIdentity};
pub use measure::{Better, Margin, Measure, Unit};
pub use news::{Change, ChangeKind, News, counted};
pub use scenario::{
    Breaker, BreakerSpan, BreakerState, Course, CpuTime, Dispatch, Ending, Evidence, FaultWindow,
    Held, Lateness, Marker, Phase, ScenarioReport, Series, Tolerance,
};

/// The version of the result's shape; raised when a field changes its meaning or goes away.
pub const FORMAT: u32 = 3;

/// What was found out about a promise, a scenario or a whole run.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Exercised enough, and kept.
    Held,
    /// Broken at least once, with a witness.
    Violated,
    /// Too little was seen to say either.
    #[default]
    Inconclusive,
    /// The promise does not exist for this target or scenario.
    NotApplicable,
}

impl Standing {
    /// All verdicts, from the one to read first to the one to read last.
    pub const ALL: [Self; 4] =
        [Self::Violated, Self::Inconclusive, Self::Held, Self::NotApplicable];

    /// One character, for those who do not see colour.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Held => "✓",
            Self::Violated => "✗",
            Self::Inconclusive => "?",
            Self::NotApplicable => "–",
        }
    }

    /// The verdict in words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Violated => "violated",
            Self::Inconclusive => "inconclusive",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// A finished run: what was done, what was found, and how to see it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this shape, see [`FORMAT`].
    pub format: u32,
    /// The version of the tool that judged.
    pub tool_version: String,
    /// The name of the run's folder.
    pub run_id: String,
    /// The worst of all cells that count.
    pub verdict: Standing,
    /// The verdict as one sentence for a person.
    pub sentence: String,
    /// Why there is no better verdict, in one line; absent where the sentence says it all.
    #[serde(default)]
    pub why: Option<String>,
    /// When the run started, as RFC 3339.
    pub started: String,
    /// What was run, on what, with which numbers.
    pub identity: Identity,
    /// The command that runs all of it again.
    pub rerun: String,
    /// The scenarios, in the order in which they ran.
    pub scenarios: Vec<ScenarioReport>,
    /// The guarantees that were judged, in checklist order.
    pub guarantees: Vec<GuaranteeReport>,
    /// The cells of the matrix: at most one for a guarantee and a scenario.
    pub cells: Vec<Cell>,
    /// Promises of the checklist that this run says nothing about.
    pub not_tested: Vec<NotTested>,
    /// What is new since a baseline; absent where it was compared with none.
    #[serde(default)]
    pub news: Option<News>,
}

impl Default for Report {
    /// An empty report of the current [`FORMAT`]: inconclusive, since nothing was seen.
    fn default() -> Self {
        Self {
            format: FORMAT,
            tool_version: String::new(),
            run_id: String::new(),
            verdict: Standing::Inconclusive,
            sentence: String::new(),
            why: None,
            started: String::new(),
            identity: Identity::default(),
            rerun: String::new(),
            scenarios: Vec::new(),
            guarantees: Vec::new(),
            cells: Vec::new(),
            not_tested: Vec::new(),
            news: None,
        }
    }
}
