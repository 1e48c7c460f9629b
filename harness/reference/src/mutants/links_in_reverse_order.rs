//! The last link of a page comes first.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "links-in-reverse-order",
    summary: "a page shows its links from the last to the first",
    breaks: "pages-served",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.pages.links = |links| Ok(links.into_iter().rev().collect());
    },
};
