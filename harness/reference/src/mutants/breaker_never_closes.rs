//! A probe's success is taken for one more reason to wait.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "breaker-never-closes",
    summary: "a successful probe opens the breaker again, so service never resumes",
    breaks: "breaker-recovers",
    may_also_break: &["click-lag", "clicks-delivered"],
    shown_by: "calibration",
    apply: |seams| seams.upstream.breaker.success_closes = false,
};
