//! The answer comes later, by a constant, uniform or lognormal time.

use super::{Decide, Effect, RequestView, Roll};
use serde::{Deserialize, Serialize};

/// Added time before the head; real milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "distribution", deny_unknown_fields)]
pub enum Latency {
    /// Always the same.
    Constant {
        /// The time.
        ms: u64,
    },
    /// Evenly between two bounds.
    Uniform {
        /// Lower bound.
        min_ms: u64,
        /// Upper bound.
        max_ms: u64,
    },
    /// A long tail: `median_ms · e^(sigma·N(0,1))`, cut at `max_ms`.
    Lognormal {
        /// The median.
        median_ms: u64,
        /// Sigma in thousandths.
        sigma_milli: u32,
        /// The cut.
        max_ms: u64,
    },
}

impl Decide for Latency {
    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        let us = match *self {
            Self::Constant { ms } => ms * 1_000,
            Self::Uniform { min_ms, max_ms } => {
                roll.between(min_ms * 1_000, (max_ms * 1_000).max(min_ms * 1_000))
            }
            Self::Lognormal { median_ms, sigma_milli, max_ms } => {
                roll.lognormal_us(median_ms * 1_000, sigma_milli).min(max_ms * 1_000)
            }
        };
        Effect::Delay { us }
    }
}
