//! The stopwatch stops with the head: the body is only data.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "latency-to-first-byte",
    summary: "the time that the body takes is not observed",
    breaks: "latency-metrics",
    may_also_break: &[],
    shown_by: "brownout",
    apply: |seams| {
        seams.metrics.timed =
            |took, end| Some(end.as_ref().map_or(took, |answer| answer.head_after));
    },
};
