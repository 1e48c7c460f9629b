//! The alert on latency was switched off for a release, and nobody switched it on again.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "latency-alert-never-fires",
    summary: "the alert on latency is never sent",
    breaks: "latency-metrics",
    may_also_break: &[],
    shown_by: "slow-silent-locked-out",
    apply: |seams| seams.alerts.sends = |name| name != "LinktreeLatency",
};
