//! What was read before a cursor expired is good enough to keep.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "begins-again-and-appends",
    summary: "links that were read before a cursor expired stand on the page twice",
    breaks: "cursor-pagination",
    may_also_break: &[],
    shown_by: "long-lists",
    apply: |seams| {
        seams.pages.begin_anew = |_| {};
    },
};
