//! Spaces retries: exponential with full jitter, after "Exponential Backoff And Jitter" (AWS).

use crate::config::RetrySettings;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{sync::Mutex, time::Duration};

/// Full jitter would now and then retry at once; this much distance is always kept.
const FLOOR: Duration = Duration::from_millis(10);

/// The delay before retry number n, from 1, for a roll in 0..1.
pub type Backoff = fn(&RetrySettings, u32, f64) -> Duration;

/// A seeded source of rolls.
#[derive(Debug)]
pub struct Jitter(Mutex<StdRng>);

impl Jitter {
    /// The same seed gives the same rolls.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// Uniform in 0..1.
    pub fn roll(&self) -> f64 {
        self.0.lock().unwrap().random()
    }
}

/// The bound of the delay before retry `retry`, from 1: `base * factor^(retry - 1)`, capped.
pub fn bound(settings: &RetrySettings, retry: u32) -> Duration {
    let growth = settings.factor.saturating_pow(retry.saturating_sub(1).min(31));
    settings.base.saturating_mul(growth).min(settings.cap)
}

/// Uniform between nothing and the bound.
pub fn full_jitter(settings: &RetrySettings, retry: u32, roll: f64) -> Duration {
    bound(settings, retry).mul_f64(roll).max(FLOOR)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn settings() -> RetrySettings {
        RetrySettings {
            read_attempts: 5,
            base: Duration::from_secs(1),
            factor: 2,
            cap: Duration::from_secs(30),
            attempt_timeout: Duration::from_secs(10),
            retry_after_margin: Duration::from_millis(20),
            retry_after_max: Duration::from_secs(3600),
        }
    }

    #[test]
    fn the_bound_doubles_up_to_its_cap() {
        let bounds: Vec<u64> = (1..=8).map(|n| bound(&settings(), n).as_secs()).collect();
        assert_eq!(bounds, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(bound(&settings(), u32::MAX).as_secs(), 30);
    }

    proptest! {
        #[test]
        fn a_delay_lies_between_the_floor_and_the_bound(retry in 1u32..200, seed in any::<u64>()) {
            let delay = full_jitter(&settings(), retry, Jitter::new(seed).roll());
            prop_assert!(delay >= FLOOR && delay <= bound(&settings(), retry));
        }
    }
}
