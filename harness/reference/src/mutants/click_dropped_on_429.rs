//! 429 is a 4xx, and a 4xx is the sender's fault.

use super::Mutant;
use crate::linktree::Failure;

pub const MUTANT: Mutant = Mutant {
    id: "click-dropped-on-429",
    summary: "a click that meets a 429 is dropped",
    breaks: "clicks-delivered",
    may_also_break: &["click-lag"],
    shown_by: "rate-limit-storm",
    apply: |seams| seams.delivery.abandons = |failure, _| *failure == Failure::Status(429),
};
