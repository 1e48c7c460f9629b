//! A breaker that is there in name only.

use super::Mutant;

/// The breaker never opens, whatever fails.
pub const MUTANT: Mutant = Mutant {
    id: "breaker-never-opens",
    summary: "the breaker never opens, whatever fails",
    breaks: "breaker-opens",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| seams.breaker.threshold = Some(u32::MAX),
};
