//! A page without links is taken for an answer that went wrong.

use super::Mutant;
use crate::linktree::Failure;

pub const MUTANT: Mutant = Mutant {
    id: "no-page-without-links",
    summary: "whoever has no links has no page",
    breaks: "pages-served",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.pages.links = |links| {
            if links.is_empty() { Err(Failure::Malformed) } else { Ok(links) }
        };
    },
};
