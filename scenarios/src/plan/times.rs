//! Contract time as it passes in a run.

use super::{Declared, Plan, RunPlan};
use std::time::Duration;

/// Durations of the contract and of the declared policy that several judges read, in real time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// The limit window.
    pub window: Duration,
    /// Breaker open time, the first and shortest.
    pub breaker_open: Duration,
    /// The longest that it may have grown to.
    pub breaker_open_longest: Duration,
    /// The breaker's sampling window, if it has one.
    pub breaker_window: Option<Duration>,
    /// Base of the backoff.
    pub backoff_base: Duration,
    /// Cap of the backoff.
    pub backoff_cap: Duration,
    /// Base of the backoff of clicks.
    pub click_backoff_base: Duration,
    /// Cap of the backoff of clicks.
    pub click_backoff_cap: Duration,
    /// Fast front-door answers.
    pub fast: Duration,
    /// What an attempt may wait for the client's own limiter, after its breaker's permit.
    pub limiter_wait: Duration,
}

impl Times {
    /// In real time, under a time scale.
    #[must_use]
    pub fn of(declared: &Declared, window_ms: u64, time_scale: u32) -> Self {
        let real = |ms| contract_time(ms, time_scale);
        let clicks = |own: Option<u64>, reads: u64| real(own.unwrap_or(reads));
        Self {
            window: real(window_ms),
            breaker_open: real(declared.breaker_open_ms),
            breaker_open_longest: real(declared.longest_open_ms()),
            breaker_window: declared.breaker_window_ms.map(real),
            backoff_base: real(declared.backoff_base_ms),
            backoff_cap: real(declared.backoff_cap_ms),
            click_backoff_base: clicks(declared.click_backoff_base_ms, declared.backoff_base_ms),
            click_backoff_cap: clicks(declared.click_backoff_cap_ms, declared.backoff_cap_ms),
            fast: real(declared.fast_ms),
            limiter_wait: real(declared.limiter_wait_ms),
        }
    }
}

impl RunPlan {
    /// The shared durations in real time, in one of its scenarios.
    #[must_use]
    pub fn times_in(&self, plan: &Plan) -> Times {
        Times::of(&self.declared, self.contract.limit.window_ms, plan.time_scale)
    }
}

/// The largest time scale at which a contract duration is longer than `least`; 0 where none is.
#[must_use]
pub fn largest_scale(contract: Duration, least: Duration) -> u32 {
    let scale = contract.as_nanos().saturating_sub(1) / least.as_nanos().max(1);
    u32::try_from(scale).unwrap_or(u32::MAX)
}

/// How long contract milliseconds take under a time scale; a scale of 0 counts as 1.
#[must_use]
pub fn contract_time(ms: u64, time_scale: u32) -> Duration {
    Duration::from_micros(ms.saturating_mul(1_000) / u64::from(time_scale.max(1)))
}
