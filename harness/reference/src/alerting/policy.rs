//! What the alerts decide: thresholds, and what is measured.

use super::sight::Sight;
use crate::{recent::Recent, upstream::Upstream};
use std::time::Duration;

/// One value per decision.
#[derive(Clone, Copy)]
pub struct AlertPolicy {
    /// Whether an alert of this name is ever sent.
    pub sends: fn(&str) -> bool,
    /// Failures of a thousand calls above which it is too many.
    pub errors_per_mille: usize,
    /// The window in which they are counted, given the configured one.
    pub error_window: fn(Duration) -> Duration,
    /// Fewer calls say nothing, given the configured number.
    pub min_calls: fn(usize) -> usize,
    /// What failures are divided by.
    pub calls: fn(&Sight) -> usize,
    /// Requests in the limit's window.
    pub used: fn(&Upstream, &Recent, Duration) -> usize,
    /// Above so many the limit is near, given the configured number.
    pub headroom: fn(usize) -> usize,
    /// For how long, given the configured time.
    pub headroom_for: fn(Duration) -> Duration,
    /// How long a click may wait, given the configured time.
    pub click_lag: fn(Duration) -> Duration,
    /// The age at which a key is old, given the configured one.
    pub key_age: fn(Duration) -> Duration,
    /// The durations of which the bound is a percentile, sorted.
    pub durations: fn(&Sight) -> Vec<Duration>,
    /// What of these is compared with the bound.
    pub latency: fn(&[Duration]) -> Duration,
    /// Outcomes that are timeouts to it.
    pub timeouts: &'static [&'static str],
    /// Outcomes that are refusals of the key.
    pub refusals: &'static [&'static str],
}

impl Default for AlertPolicy {
    fn default() -> Self {
        Self {
            sends: |_| true,
            errors_per_mille: 10,
            error_window: |configured| configured,
            min_calls: |configured| configured,
            calls: |sight| sight.calls.len(),
            used: |upstream, _, _| upstream.used(None),
            headroom: |configured| configured,
            headroom_for: |configured| configured,
            click_lag: |configured| configured,
            key_age: |configured| configured,
            durations: Sight::durations,
            latency: p95,
            timeouts: &["timeout"],
            refusals: &["auth"],
        }
    }
}

/// The 95th percentile by nearest rank.
pub fn p95(sorted: &[Duration]) -> Duration {
    let rank = (sorted.len() * 95).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}
