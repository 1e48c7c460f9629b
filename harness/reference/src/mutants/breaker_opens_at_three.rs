//! A breaker that is tuned for speed.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "breaker-opens-at-three",
    summary: "the breaker opens at the third consecutive failure instead of the fifth",
    breaks: "breaker-opens",
    may_also_break: &[],
    shown_by: "calibration",
    apply: |seams| seams.upstream.breaker.threshold = Some(3),
};
