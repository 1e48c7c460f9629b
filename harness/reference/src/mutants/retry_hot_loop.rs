//! A retry loop in which the delay was forgotten.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "retry-hot-loop",
    summary: "failed calls are retried at once",
    breaks: "backoff-grows",
    may_also_break: &[],
    shown_by: "retry-gaps",
    apply: |seams| seams.upstream.backoff = |_, _, _| Duration::ZERO,
};
