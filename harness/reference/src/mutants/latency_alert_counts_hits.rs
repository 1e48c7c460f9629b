//! The alert is on how long pages took to come by, and most of them came from the cache.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "latency-alert-counts-hits",
    summary: "the percentile of the alert on latency is over page views that the cache served, too",
    breaks: "latency-metrics",
    may_also_break: &[],
    shown_by: "slow-silent-locked-out",
    apply: |seams| {
        seams.metrics.remembers_views = true;
        seams.alerts.durations = |sight| {
            let mut all = vec![Duration::ZERO; sight.views];
            all.extend(sight.durations());
            all
        };
    },
};
