//! What can fail in the harness itself, what is said of it, and what stands of a verdict then.

use crate::case::Case;
use crate::measure::{humane, so_many};
use crate::promise::{Promise, Sight, Stands};
use mock_server::clock::Moment;
use mock_server::history::record::Overload;
use std::time::Duration;

/// An instrument of the harness that failed in a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Visitors who should have come did not.
    Unsent {
        /// How many should have come.
        planned: u64,
        /// How many came.
        sent: u64,
    },
    /// Visitors came late.
    Late {
        /// The 99th percentile of sent − intended.
        p99: Duration,
        /// Of so many arrivals.
        of: u64,
        /// What the plan allows.
        bound: Duration,
        /// What the load generator said of itself, where that is far from it.
        told: Option<Duration>,
    },
    /// The machine was so inexact before the storm that every time is judged more mildly.
    Inexact {
        /// δ as it was widened.
        delta: Duration,
        /// δ as it is on a usual machine.
        usual: Duration,
    },
    /// The mock could not do its work.
    Overloaded {
        /// The first time.
        first: Overload,
        /// How often it was said; once a second at the most for each cause.
        times: usize,
    },
    /// The target was ready to run, and others had the processors.
    Starved {
        /// How long it waited in all.
        waited: Duration,
        /// In so many stretches.
        times: usize,
        /// Since when, the first time.
        first: Moment,
    },
    /// The harness ended the target, and something of it went on.
    Outlived {
        /// When it should have ended.
        end: Moment,
        /// What went on.
        what: String,
    },
    /// Something of the target was left when all was over.
    LeftBehind {
        /// What went on.
        what: String,
    },
}

impl Trouble {
    /// What follows from it.
    #[must_use]
    pub const fn consequence(&self) -> &'static str {
        match self {
            Self::Unsent { .. } | Self::Late { .. } => "what depends on visitors is inconclusive",
            Self::Inexact { .. } => "times are judged that much more mildly",
            Self::Overloaded { .. } => "what depends on a mock that answers is inconclusive",
            Self::Starved { .. } => {
                "what came late then is not judged: run it alone (--jobs 1) on an idle machine"
            }
            Self::Outlived { .. } => "what depends on that end is inconclusive",
            Self::LeftBehind { .. } => "end it by hand",
        }
    }

    /// What stands of the verdict on a promise.
    #[must_use]
    pub fn stands_of(&self, promise: &Promise) -> Stands {
        match self {
            // What is seen of ends builds on them; all else may have been done by two at once.
            Self::Outlived { .. } if promise.sees.contains(&Sight::Process) => Stands::Never,
            Self::Outlived { .. } => Stands::IfHeld,
            // Judges know δ, and are inconclusive by themselves where it is too wide.
            Self::LeftBehind { .. } | Self::Inexact { .. } => Stands::Always,
            Self::Unsent { .. } | Self::Late { .. } => promise.when_late,
            Self::Overloaded { .. } => promise.when_overloaded,
            // What held did so all the same.
            Self::Starved { .. } => match promise.when_overloaded {
                Stands::Never | Stands::IfHeld => Stands::IfHeld,
                Stands::IfViolated | Stands::Always => Stands::Always,
            },
        }
    }

    /// What failed, with its numbers.
    #[must_use]
    pub fn words(&self, case: &Case) -> String {
        match self {
            Self::Unsent { planned, sent } => {
                let missing = planned - sent;
                format!("{missing} of {planned} arrivals were never sent")
            }
            Self::Late { p99, of, bound, told } => {
                let told = told.map_or(String::new(), |told| {
                    format!(", though it said {} of itself", humane(told))
                });
                format!(
                    "the load generator was late: p99 {} of {of} arrivals, at most {} is allowed{told}",
                    humane(*p99),
                    humane(*bound)
                )
            }
            Self::Outlived { end, what } => case.tell_outlived(*end, what),
            Self::LeftBehind { what } => {
                format!("something of the target was left when all was over: {what}")
            }
            Self::Inexact { delta, usual } => format!(
                "this machine was inexact before the storm: {} are allowed for delivery and scheduling \
                 instead of {}",
                humane(*delta),
                humane(*usual)
            ),
            Self::Starved { waited, times, first } => format!(
                "the machine was short of processors: the target waited {} for one that others had \
                 ({}, first at {})",
                humane(*waited),
                so_many(*times, "time", "times"),
                case.at(*first)
            ),
            Self::Overloaded { first, times } => {
                let at = case.at(first.at);
                format!(
                    "the mock was overloaded ({}, first at {at}: {})",
                    so_many(*times, "time", "times"),
                    first.what
                )
            }
        }
    }
}

/// Why a violation does not count that was seen only while the harness stood still.
pub(super) fn stood_still(longest: Duration) -> String {
    let longest = humane(longest);
    format!("it was seen only while the harness stood still (its timers were up to {longest} late)")
}
