//! The dashboard wanted milliseconds, and the name of the metric says seconds.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "latency-in-milliseconds",
    summary: "durations are observed in milliseconds in a histogram of seconds",
    breaks: "latency-metrics",
    may_also_break: &[],
    shown_by: "brownout",
    apply: |seams| seams.metrics.observed = |took| took.as_secs_f64() * 1_000.0,
};
