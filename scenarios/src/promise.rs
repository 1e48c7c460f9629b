//! What is said of a guarantee besides its verdicts: its words, its bounds, what it needs and sees.

use crate::front_door::FrontRoute;
use crate::strength::Minimum;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;

/// Everything that is said of a guarantee besides its verdicts.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// The id of the checklist.
    pub id: &'static str,
    /// The promise, in a sentence.
    pub statement: &'static str,
    /// The priority of the checklist.
    pub priority: Priority,
    /// Where bound and rule come from.
    pub source: &'static str,
    /// What is lost when it is broken.
    pub why: &'static str,
    /// How teams usually mend it.
    pub usual_fix: &'static str,
    /// What this judge cannot see.
    pub blind_to: &'static str,
    /// The numbers that a team may promise otherwise.
    pub bounds: &'static [Bound],
    /// How much it must have seen, or it is inconclusive.
    pub minimums: &'static [Minimum],
    /// What stands of its verdict when visitors came late, or did not come.
    pub when_late: Stands,
    /// What stands of it when the mock could not do its work, or the harness stood still.
    pub when_overloaded: Stands,
    /// Routes that the integration must offer, or the guarantee is not applicable.
    pub needs: &'static [FrontRoute],
    /// What it must see to be judged, or it is not applicable; it may look at more.
    pub sees: &'static [Sight],
}

impl Promise {
    /// Its bound of this name.
    #[must_use]
    pub fn bound(&self, name: &str) -> Option<&'static Bound> {
        self.bounds.iter().find(|bound| bound.name == name)
    }
}

/// The priority of a guarantee in the checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// From the risk matrix: the launch must not go ahead without it.
    Critical,
    /// From the risk matrix.
    High,
    /// Everything else.
    Standard,
}

/// A number that a guarantee promises: a constant of the guarantee's own file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The id of the guarantee whose it is.
    pub of: &'static str,
    /// Its name, which says its unit: `…_ms`, `…percent`, or a count of what it names.
    pub name: &'static str,
    /// What it means.
    pub what: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// What holds unless a contract profile, a configuration or a plan says otherwise.
    pub default: u64,
}

/// The unit of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds that are divided by the time scale.
    ContractTime,
    /// Milliseconds as they are.
    RealTime,
    /// At least so many of a hundred.
    Percent,
    /// A number of things.
    Count,
}

impl Unit {
    /// The values that make sense: no bound is nothing, and no time longer than a leap year.
    #[must_use]
    pub const fn range(self) -> RangeInclusive<u64> {
        match self {
            Self::ContractTime | Self::RealTime => 1..=366 * 86_400_000,
            Self::Percent => 1..=100,
            Self::Count => 1..=u32::MAX as u64,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ContractTime => "contract time",
            Self::RealTime => "real time",
            Self::Percent => "per cent",
            Self::Count => "count",
        })
    }
}

/// Whether a verdict stands when an instrument of the harness failed: what failed is never blamed on
/// the integration, nor taken for its merit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Always: what was seen speaks for itself, right or wrong.
    Always,
    /// If it is violated: what was wrong is wrong, but what held may not have been put to the test.
    IfViolated,
    /// If it is held: what held did so all the same, but the instrument may have made it look wrong.
    IfHeld,
    /// Never: the instrument may have made it look wrong as well as right.
    Never,
}

/// A place where something of the integration is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// Its calls to Linktree.
    Upstream,
    /// Its answers to visitors.
    FrontDoor,
    /// Its processes: their ends, environments and command lines.
    Process,
    /// Its log.
    Logs,
    /// Its metrics.
    Metrics,
    /// The alerts that are sent about it.
    Alerts,
    /// Its side of TLS handshakes.
    Tls,
    /// Where it keeps the webhooks that it could not process.
    Kept,
    /// Which scopes it declares for its key.
    Scopes,
}

impl Sight {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Upstream,
        Self::FrontDoor,
        Self::Process,
        Self::Logs,
        Self::Metrics,
        Self::Alerts,
        Self::Tls,
        Self::Kept,
        Self::Scopes,
    ];
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Upstream => "upstream",
            Self::FrontDoor => "front door",
            Self::Process => "process",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
            Self::Alerts => "alerts",
            Self::Tls => "TLS",
            Self::Kept => "kept webhooks",
            Self::Scopes => "declared scopes",
        })
    }
}
