//! At least once, taken to heart: a success is not believed until there is a second.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "click-resent-after-success",
    summary: "every click is delivered a second time after it succeeded",
    breaks: "clicks-counted-once",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| seams.delivery.successes_needed = 2,
};
