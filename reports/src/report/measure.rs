//! Tells in numbers what was observed and what was allowed: what a comparison of two runs reads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One observed quantity beside its bound. A cell has none of what was not seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Measure {
    /// What was measured, the same words in every run, such as `slowest click`.
    pub name: String,
    /// What was observed: the worst, the peak, the count or the share.
    pub observed: u64,
    /// What was allowed, or asked for.
    pub bound: u64,
    /// The unit of the three numbers.
    pub unit: Unit,
    /// On which side of the bound it is kept.
    pub better: Better,
    /// How far beyond the bound an observation may be the measurement's own error.
    pub tolerance: u64,
}

/// What the whole numbers of a measure count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Unit {
    /// Things; the measure's name says which.
    #[serde(rename = "count")]
    Count,
    /// Microseconds.
    #[serde(rename = "us")]
    Micros,
    /// Thousandths of a whole.
    #[serde(rename = "per-mille")]
    PerMille,
}

/// Which observations keep a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// Those up to it.
    Less,
    /// Those from it on.
    More,
}

/// How much room the tightest of a cell's measures left.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Margin {
    /// The measure's name.
    pub measure: String,
    /// Its bound, in a few words.
    pub promised: String,
    /// Its observation, in a few words.
    pub observed: String,
    /// The room in thousandths of the bound, rounded down: negative beyond the bound. With a bound of
    /// zero, 1000 for nothing observed and -1000 for each one observed.
    pub per_mille: i64,
    /// The observation is so close to the bound that the measurement's own error decides.
    pub within_tolerance: bool,
    /// The room with its unit, in a few words.
    pub words: String,
}
