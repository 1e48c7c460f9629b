//! The alert takes the slowest call of its window: each timeout wakes somebody.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "latency-alert-on-the-slowest",
    summary: "the alert on latency is on the slowest call and not on the 95th percentile",
    breaks: "latency-metrics",
    may_also_break: &[],
    shown_by: "slow-silent-locked-out",
    apply: |seams| seams.alerts.latency = |sorted| sorted.last().copied().unwrap_or_default(),
};
