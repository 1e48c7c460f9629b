//! The stopwatch stands around the cache and not around the call.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "cache-hits-in-latency",
    summary: "a page from the cache is observed as a fast request to Linktree",
    breaks: "latency-metrics",
    may_also_break: &[],
    shown_by: "brownout",
    apply: |seams| seams.metrics.observes_hits = true,
};
