//! The dice of one decision: seeded by rule, request key and ordinal, never by time.

use crate::seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, Pareto};

/// The generator for one (seed, rule, key, nth); draws are in a fixed order within a decision.
#[derive(Debug)]
pub struct Roll(ChaCha8Rng);

impl Roll {
    /// The dice for the `nth` request with `key` that `rule` matched.
    #[must_use]
    pub fn new(seed: u64, rule: &str, key: &str, nth: u64) -> Self {
        Self(seed::stream(seed, &["fault", rule, key, &nth.to_string()]))
    }

    /// True for `hits` of `of`; never for `of == 0`.
    pub fn share(&mut self, hits: u32, of: u32) -> bool {
        of > 0 && self.0.random_range(0..of) < hits
    }

    /// A number between the bounds, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        if high <= low { low } else { self.0.random_range(low..=high) }
    }

    /// A seed for whatever needs more dice than a decision has.
    pub fn seed(&mut self) -> u64 {
        self.0.random()
    }

    /// One of the choices, or none of none.
    pub fn choose<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        if choices.is_empty() { None } else { choices.get(self.0.random_range(0..choices.len())) }
    }

    /// A lognormal time in microseconds with this median and sigma (in thousandths).
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub fn lognormal_us(&mut self, median_us: u64, sigma_milli: u32) -> u64 {
        let mu = (median_us.max(1) as f64).ln();
        match LogNormal::new(mu, f64::from(sigma_milli) / 1_000.0) {
            Ok(distribution) => distribution.sample(&mut self.0) as u64,
            Err(_) => median_us,
        }
    }

    /// A Pareto time in microseconds: at least `min_us`, and longer than `k · min_us` with a
    /// probability of k^-alpha; alpha in thousandths.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub fn pareto_us(&mut self, min_us: u64, alpha_milli: u32) -> u64 {
        match Pareto::new(min_us.max(1) as f64, f64::from(alpha_milli) / 1_000.0) {
            Ok(distribution) => distribution.sample(&mut self.0) as u64,
            Err(_) => min_us,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_rolls_the_same_and_another_seed_does_not() {
        let draw = |seed, nth| Roll::new(seed, "r", "GET /x", nth).between(0, u64::MAX - 1);
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
        assert_ne!(draw(1, 0), draw(2, 0));
    }
}
