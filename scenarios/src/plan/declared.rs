//! What an integration says of its own policy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The integration's own policy; contract time. Absent keys have the contract's defaults. Judges
/// read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Declared {
    /// Consecutive failures that open the breaker.
    pub breaker_failures: u32,
    /// What one breaker guards.
    pub breaker_scope: BreakerScope,
    /// How long it stays open, contract milliseconds.
    pub breaker_open_ms: u64,
    /// Calls let through while half-open.
    pub half_open_probes: u32,
    /// Upstream attempts of one page read, the first included.
    pub max_attempts: u32,
    /// Base of the exponential backoff, contract milliseconds.
    pub backoff_base_ms: u64,
    /// Its growth from retry to retry in thousandths: 2000 doubles.
    pub backoff_factor_milli: u32,
    /// Its cap, contract milliseconds.
    pub backoff_cap_ms: u64,
    /// What a `Retry-After` holds back.
    pub retry_after_scope: RetryAfterScope,
    /// Front-door answers from stale pages, or fast failures, take at most this; contract
    /// milliseconds.
    pub fast_ms: u64,
    /// Requests of the limit's window that are kept for clicks.
    pub click_slots: u32,
    /// Requests that its own limiter lets through in any window of the limit, where these are fewer
    /// than the contract's client cap; absent where they are as many.
    #[schemars(range(min = 1))]
    pub rate_cap: Option<u32>,
    /// How long an attempt may wait for its own limiter after the breaker has let it through and no
    /// `Retry-After` held it back, contract milliseconds; 0 where these are asked after the limiter.
    pub limiter_wait_ms: u64,
}

/// Retries of one call whose spacing is looked at; later ones fail decorrelated jitter too often
/// (simulated).
const MOST_RETRIES: u32 = 4;

impl Declared {
    /// How often a call can fail before it succeeds, so that each retry of it is seen and neither its
    /// attempts are used up nor the breaker opens; four at the most.
    #[must_use]
    pub fn spared_failures(&self) -> u32 {
        self.breaker_failures.min(self.max_attempts).saturating_sub(1).min(MOST_RETRIES)
    }

    /// How many calls show the spacing of so many retries.
    #[must_use]
    pub fn retried_calls(&self) -> u32 {
        RETRIED_CALLS + (MOST_RETRIES - self.spared_failures()) * CALLS_FOR_A_RETRY
    }
}

/// Sixteen calls tell constant from exponential delays with one error in ten thousand runs
/// (predicates, B3); two more, since a call during a hiccup of the harness is not judged.
const RETRIED_CALLS: u32 = 18;
/// More calls for each retry that there is less of: what one call shows is less, and it takes less.
const CALLS_FOR_A_RETRY: u32 = 6;

/// What one breaker guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerScope {
    /// Every call to Linktree.
    Host,
    /// The calls of one route: there is one for each.
    Route,
}

/// What a `Retry-After` holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RetryAfterScope {
    /// Every call with the same key.
    Token,
    /// The same logical request only.
    Request,
}

impl Default for Declared {
    /// The defaults of contract.md section 4, and the reference's retry policy.
    fn default() -> Self {
        Self {
            breaker_failures: 5,
            breaker_scope: BreakerScope::Host,
            breaker_open_ms: 30_000,
            half_open_probes: 1,
            max_attempts: 5,
            backoff_base_ms: 1_000,
            backoff_factor_milli: 2_000,
            backoff_cap_ms: 30_000,
            retry_after_scope: RetryAfterScope::Token,
            fast_ms: 1_000,
            click_slots: 24,
            rate_cap: None,
            limiter_wait_ms: 0,
        }
    }
}
