//! A key that is refused was typed wrong, and so is everything that was sent with it.

use super::Mutant;
use crate::linktree::Failure;

pub const MUTANT: Mutant = Mutant {
    id: "click-dropped-on-401",
    summary: "a click that meets a 401 is dropped",
    breaks: "clicks-delivered",
    may_also_break: &["click-lag"],
    shown_by: "rate-limit-storm",
    apply: |seams| seams.delivery.abandons = |failure, _| *failure == Failure::Status(401),
};
