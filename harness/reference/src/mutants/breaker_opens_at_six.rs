//! An off-by-one in the breaker: `>` where `>=` was meant.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "breaker-opens-at-six",
    summary: "the breaker opens at the sixth consecutive failure instead of the fifth",
    breaks: "breaker-opens",
    may_also_break: &[],
    shown_by: "calibration",
    apply: |seams| seams.upstream.breaker.threshold = Some(6),
};
