//! Contract time as it passes in a run.

use super::RunPlan;
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
    /// Fast front-door answers.
    pub fast: Duration,
    /// What an attempt may wait for the client's own limiter, after its breaker's permit.
    pub limiter_wait: Duration,
}

impl RunPlan {
    /// The shared durations in real time.
    #[must_use]
    pub fn times(&self) -> Times {
        let real = |ms| contract_time(ms, self.time_scale);
        Times {
            window: real(self.contract.limit.window_ms),
            breaker_open: real(self.declared.breaker_open_ms),
            breaker_open_longest: real(self.declared.longest_open_ms()),
            breaker_window: self.declared.breaker_window_ms.map(real),
            backoff_base: real(self.declared.backoff_base_ms),
            backoff_cap: real(self.declared.backoff_cap_ms),
            fast: real(self.declared.fast_ms),
            limiter_wait: real(self.declared.limiter_wait_ms),
        }
    }
}

/// How long contract milliseconds take under a time scale; a scale of 0 counts as 1.
#[must_use]
pub fn contract_time(ms: u64, time_scale: u32) -> Duration {
    Duration::from_micros(ms.saturating_mul(1_000) / u64::from(time_scale.max(1)))
}
