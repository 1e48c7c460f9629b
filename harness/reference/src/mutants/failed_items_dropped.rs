//! The status of a batch is looked at, and what it says of each click is not.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "failed-items-dropped",
    summary: "clicks that failed within a batch that succeeded are taken for delivered",
    breaks: "clicks-delivered",
    may_also_break: &["click-lag", "clicks-survive-crash"],
    shown_by: "rate-limit-storm",
    apply: |seams| seams.delivery.reads_items = false,
};
