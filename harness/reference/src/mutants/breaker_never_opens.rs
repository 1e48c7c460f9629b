//! A breaker that is there in name only.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "breaker-never-opens",
    summary: "the breaker never opens, whatever fails",
    breaks: "breaker-opens",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| seams.upstream.breaker.threshold = Some(u32::MAX),
};
