//! Bounded retries in the wrong place: a click has only so many lives.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "click-dropped-after-attempts",
    summary: "a click is dropped after two failed attempts",
    breaks: "clicks-delivered",
    may_also_break: &["click-lag"],
    shown_by: "outage-and-replay",
    apply: |seams| seams.delivery.abandons = |_, tries| tries.attempts >= 2,
};
