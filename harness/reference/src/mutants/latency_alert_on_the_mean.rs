//! The alert takes the mean, which is in every dashboard: one call in three may take seconds.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "latency-alert-on-the-mean",
    summary: "the alert on latency is on the mean and not on the 95th percentile",
    breaks: "latency-metrics",
    may_also_break: &[],
    shown_by: "slow-silent-locked-out",
    apply: |seams| {
        seams.alerts.latency = |sorted| {
            let calls = u32::try_from(sorted.len()).unwrap_or(u32::MAX).max(1);
            sorted.iter().sum::<Duration>() / calls
        };
    },
};
