//! Nobody wants to hear of an old click, and old is what has waited for 45 seconds.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "click-given-up-after-a-while",
    summary: "a click is given up that fails 45 s after its first attempt",
    breaks: "clicks-delivered",
    may_also_break: &["click-lag"],
    shown_by: "rate-limit-storm",
    apply: |seams| {
        // Ninety times the coalescing delay of 0.5 s.
        seams.delivery.abandons = |_, tries| tries.delays >= 90;
    },
};
