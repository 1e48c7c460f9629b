//! No answer, no duration: what timed out is not observed.

use super::Mutant;
use crate::linktree::Failure;

pub const MUTANT: Mutant = Mutant {
    id: "timeouts-not-in-latency",
    summary: "attempts that time out are left out of the histogram",
    breaks: "latency-metrics",
    may_also_break: &[],
    shown_by: "brownout",
    apply: |seams| {
        seams.metrics.timed = |took, end| (!matches!(end, Err(Failure::Timeout))).then_some(took);
    },
};
