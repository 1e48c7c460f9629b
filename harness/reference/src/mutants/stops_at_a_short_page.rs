//! A page that is not full is the last one, as it is in most lists.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "stops-at-a-short-page",
    summary: "a list ends for it where a page is shorter than asked for",
    breaks: "cursor-pagination",
    may_also_break: &[],
    shown_by: "long-lists",
    apply: |seams| {
        seams.pages.is_last = |has_more, held| !has_more || held < 100;
    },
};
