//! The cache has the size that its library proposes.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "cache-of-a-hundred",
    summary: "a hundred pages are kept, so that an outage shows nothing of the long tail",
    breaks: "stale-on-outage",
    may_also_break: &[],
    shown_by: "long-tail",
    apply: |seams| {
        seams.pages.capacity = |_| 100;
    },
};
