//! Who comes: streams of visitors, each with its pace, whom they visit and what they do.

use super::MAX_DURATION_MS;
use crate::front_door::FrontDoor;
use crate::traffic::actions::Action;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The highest rate that a stream may ask for, arrivals a second.
pub const MAX_RATE: u64 = 20_000;
/// The most arrivals and calls of one scenario.
pub const MAX_ARRIVALS: u64 = 5_000_000;

/// One stream of visitors. Rates are visitors a second, real time. A burst at a certain moment is a
/// short stream of its own: from that moment on for 100 ms, steadily 500 a second, are 50 visitors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Unique in the plan.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// Nobody comes before.
    #[schemars(range(min = 0, max = MAX_DURATION_MS))]
    pub from_ms: u64,
    /// Nobody comes after.
    #[schemars(range(min = 0, max = MAX_DURATION_MS))]
    pub until_ms: u64,
    /// When they come.
    pub pace: Pace,
    /// Whom they visit.
    pub creators: Creators,
    /// What they do in one visit, one after the other. Each action occurs once at the most.
    #[schemars(length(max = 100))]
    pub does: Vec<Step>,
}

/// When the visitors of a stream come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "mode", deny_unknown_fields)]
pub enum Pace {
    /// Open loop: they come on schedule, whatever the integration does.
    Open {
        /// Arrivals a second over time.
        shape: Shape,
    },
    /// One visitor after another: the next comes `gap_ms` after the last was answered.
    Sequential {
        /// How many at the most.
        #[schemars(range(min = 0, max = MAX_ARRIVALS))]
        calls: u32,
        /// Pause between answer and next visit.
        #[schemars(range(min = 0, max = 3_600_000))]
        gap_ms: u64,
    },
}

/// One step of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is done.
    #[schemars(with = "String")]
    pub action: Action,
    /// Visitors that do it, of a thousand.
    #[schemars(range(min = 0, max = 1_000))]
    pub share_per_mille: u32,
}

impl Step {
    /// Every visitor does it.
    #[must_use]
    pub const fn always(action: Action) -> Self {
        Self { action, share_per_mille: 1_000 }
    }
}

/// Takes out of these streams what an integration has no route for; streams in which nothing is
/// left to do go with it.
pub(super) fn leave_out(traffic: &mut Vec<Traffic>, front: &FrontDoor) {
    let offered = |step: &Step| step.action.info().needs.is_none_or(|route| front.offers(route));
    for stream in &mut *traffic {
        stream.does.retain(offered);
    }
    traffic.retain(|stream| !stream.does.is_empty());
}

/// Arrivals a second over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "shape", deny_unknown_fields)]
pub enum Shape {
    /// Always the same.
    Steady {
        /// Arrivals a second.
        #[schemars(range(min = 0, max = MAX_RATE))]
        rate: u32,
    },
    /// Linear from one rate to another.
    Ramp {
        /// At the start.
        #[schemars(range(min = 0, max = MAX_RATE))]
        from_rate: u32,
        /// At the end.
        #[schemars(range(min = 0, max = MAX_RATE))]
        to_rate: u32,
    },
    /// A viral spike: `baseline`, then up to `baseline × factor` within `rise_ms`, held, decayed.
    Spike {
        /// Before and long after.
        #[schemars(range(min = 0, max = MAX_RATE))]
        baseline: u32,
        /// The peak as a multiple of the baseline.
        #[schemars(range(min = 0, max = MAX_RATE))]
        factor: u32,
        /// When the rise begins, after the stream's start.
        #[schemars(range(min = 0, max = MAX_DURATION_MS))]
        at_ms: u64,
        /// How long the rise takes.
        #[schemars(range(min = 0, max = MAX_DURATION_MS))]
        rise_ms: u64,
        /// How long the peak holds.
        #[schemars(range(min = 0, max = MAX_DURATION_MS))]
        hold_ms: u64,
        /// Time constant of the exponential decay.
        #[schemars(range(min = 0, max = MAX_DURATION_MS))]
        decay_ms: u64,
    },
}

/// Whom visitors choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "choice", deny_unknown_fields)]
pub enum Creators {
    /// Rank r with probability proportional to `r^-exponent`, over one group.
    Zipf {
        /// The population group's prefix.
        #[schemars(length(max = 30))]
        group: String,
        /// The exponent in thousandths.
        #[schemars(range(min = 0, max = 10_000))]
        exponent_milli: u32,
    },
    /// Each creator of the group in turn.
    InTurn {
        /// The population group's prefix.
        #[schemars(length(max = 30))]
        group: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front_door::FrontRoute;

    #[test]
    fn what_an_integration_has_no_route_for_is_left_out_with_what_nobody_would_come_for() {
        let stream = |does: &[Action]| Traffic {
            id: "stream".into(),
            from_ms: 0,
            until_ms: 1,
            pace: Pace::Sequential { calls: 1, gap_ms: 0 },
            creators: Creators::InTurn { group: "page".into() },
            does: does.iter().copied().map(Step::always).collect(),
        };
        let (both, click) = (stream(&[Action::Page, Action::Click]), stream(&[Action::Click]));
        let left = |without: &[FrontRoute]| {
            let mut traffic = vec![both.clone(), click.clone()];
            let front = FrontDoor { without: without.into(), ..FrontDoor::default() };
            leave_out(&mut traffic, &front);
            traffic
        };
        assert_eq!(left(&[FrontRoute::Metrics]), [both.clone(), click.clone()]);
        assert_eq!(left(&[FrontRoute::Clicks]), [stream(&[Action::Page])]);
    }
}
