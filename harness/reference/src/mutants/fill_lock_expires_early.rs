//! Who fetches a page holds a lock on it, so that nobody else does; and since its holder may die, the lock
//! expires: after twice what a fetch took on the day when that was written.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "fill-lock-expires-early",
    summary: "a fetch that takes longer than twenty milliseconds is begun again by the next visitor, and again",
    breaks: "cache-hit-ratio",
    may_also_break: &[],
    shown_by: "thundering-herd",
    apply: |seams| seams.pages.joins = |_, flown| flown < Duration::from_millis(20),
};
