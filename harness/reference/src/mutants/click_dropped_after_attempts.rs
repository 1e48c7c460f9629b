//! Bounded retries in the wrong place: a click has only so many lives. Where a breaker stands before
//! it, few clicks are tried twice in an outage; where clicks alone are refused, all are.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "click-dropped-after-attempts",
    summary: "a click is dropped after two failed attempts",
    breaks: "clicks-delivered",
    may_also_break: &["click-lag"],
    shown_by: "rate-limit-storm",
    apply: |seams| seams.delivery.abandons = |_, tries| tries.attempts >= 2,
};
