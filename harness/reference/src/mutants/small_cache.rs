//! The cache was sized for a demonstration.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "small-cache",
    summary: "only six pages are kept, so that an outage shows most visitors nothing",
    breaks: "stale-on-outage",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| {
        seams.pages.capacity = |_| 6;
    },
};
