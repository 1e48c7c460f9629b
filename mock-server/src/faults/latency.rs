//! The answer comes later, by a constant, uniform, lognormal or long-tailed time.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Added time before the head; real milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "distribution", deny_unknown_fields)]
pub enum Latency {
    /// Always the same.
    Constant {
        /// The time.
        #[schemars(range(min = 0, max = 3_600_000))]
        ms: u64,
    },
    /// Evenly between two bounds.
    Uniform {
        /// Lower bound.
        #[schemars(range(min = 0, max = 3_600_000))]
        min_ms: u64,
        /// Upper bound.
        #[schemars(range(min = 0, max = 3_600_000))]
        max_ms: u64,
    },
    /// Skewed to the right: `median_ms · e^(sigma·N(0,1))`, cut at `max_ms`.
    Lognormal {
        /// The median.
        #[schemars(range(min = 0, max = 3_600_000))]
        median_ms: u64,
        /// Sigma in thousandths.
        #[schemars(range(min = 0, max = 10_000))]
        sigma_milli: u32,
        /// The cut.
        #[schemars(range(min = 0, max = 3_600_000))]
        max_ms: u64,
    },
    /// A Pareto distribution: longer than `k · min_ms` with a probability of k^-alpha, cut at
    /// `max_ms`. With alpha 1.2 one answer in 16 takes more than ten times the least time.
    LongTail {
        /// The least time, and the most frequent.
        #[schemars(range(min = 0, max = 3_600_000))]
        min_ms: u64,
        /// Alpha in thousandths: the smaller, the heavier the tail.
        #[schemars(range(min = 0, max = 100_000))]
        alpha_milli: u32,
        /// The cut.
        #[schemars(range(min = 0, max = 3_600_000))]
        max_ms: u64,
    },
}

impl Decide for Latency {
    const INFO: FaultInfo = FaultInfo {
        kind: "latency",
        place: Place::Respond,
        cautions: &[Caution::HindersClicks],
        summary: "The answer comes later.",
        example_toml: r#"
kind = "latency"
distribution = "lognormal"
median_ms = 200
sigma_milli = 800
max_ms = 5000
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        let us = match *self {
            Self::Constant { ms } => us(ms),
            Self::Uniform { min_ms, max_ms } => roll.between(us(min_ms), us(max_ms)),
            Self::Lognormal { median_ms, sigma_milli, max_ms } => {
                roll.lognormal_us(us(median_ms), sigma_milli).min(us(max_ms))
            }
            Self::LongTail { min_ms, alpha_milli, max_ms } => {
                roll.pareto_us(us(min_ms), alpha_milli).min(us(max_ms))
            }
        };
        Effect::Delay { us }
    }

    fn harm(&self) -> Harm {
        let (Self::Constant { ms: most_ms }
        | Self::Uniform { max_ms: most_ms, .. }
        | Self::Lognormal { max_ms: most_ms, .. }
        | Self::LongTail { max_ms: most_ms, .. }) = *self;
        Harm::Slows { most: Duration::from_millis(most_ms) }
    }

    fn mistakes(&self) -> Vec<Mistake> {
        match *self {
            Self::Uniform { min_ms, max_ms } if min_ms > max_ms => {
                vec![Mistake::new("min_ms", "min_ms is more than max_ms", "swap them")]
            }
            Self::Lognormal { median_ms, max_ms, .. } if median_ms == 0 || median_ms > max_ms => {
                let what = format!("a median of {median_ms} ms, cut at {max_ms} ms");
                let fix = "let median_ms be greater than 0 and at most max_ms";
                vec![Mistake::new("median_ms", what, fix)]
            }
            Self::LongTail { min_ms, alpha_milli, max_ms }
                if min_ms == 0 || min_ms > max_ms || alpha_milli == 0 =>
            {
                let what = format!("from {min_ms} ms to {max_ms} ms, alpha {alpha_milli}");
                let fix =
                    "let min_ms and alpha_milli be greater than 0, and max_ms not below min_ms";
                vec![Mistake::new("min_ms", what, fix)]
            }
            _ => Vec::new(),
        }
    }
}

fn us(ms: u64) -> u64 {
    ms.saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, decided};
    use super::*;

    fn times(fault: Latency) -> Vec<u64> {
        let us = |effect| if let Effect::Delay { us } = effect { us } else { panic!("{effect:?}") };
        (0..500).map(|nth| us(decided(&fault, nth))).collect()
    }

    #[test]
    fn constant_is_constant_and_the_others_keep_their_bounds() {
        check(&Latency::Constant { ms: 5 }, &Effect::Delay { us: 5_000 });
        let uniform = times(Latency::Uniform { min_ms: 2, max_ms: 4 });
        assert!(uniform.iter().all(|us| (2_000..=4_000).contains(us)));
        let cut = times(Latency::Lognormal { median_ms: 100, sigma_milli: 2_000, max_ms: 300 });
        assert_eq!(cut.iter().max(), Some(&300_000));
    }

    #[test]
    fn a_long_tail_begins_at_its_least_time_and_thins_out_as_its_alpha_says() {
        let tail = times(Latency::LongTail { min_ms: 10, alpha_milli: 1_000, max_ms: 500 });
        assert!(tail.iter().all(|us| (10_000..=500_000).contains(us)));
        let over = |us: u64| tail.iter().filter(|time| **time > us).count();
        assert!((200..300).contains(&over(20_000)), "one half above twice: {}", over(20_000));
        assert!((25..80).contains(&over(100_000)), "a tenth above ten times: {}", over(100_000));
        assert_eq!(Latency::LongTail { min_ms: 9, alpha_milli: 0, max_ms: 8 }.mistakes().len(), 1);
    }

    #[test]
    fn half_of_a_lognormal_lies_under_its_median() {
        let tail = times(Latency::Lognormal { median_ms: 100, sigma_milli: 500, max_ms: 9_000 });
        let under = tail.iter().filter(|us| **us < 100_000).count();
        assert!((200..300).contains(&under), "{under}");
    }
}
