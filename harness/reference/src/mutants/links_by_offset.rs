//! The list is paged as everybody pages lists, by how many were read already.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "links-by-offset",
    summary: "links behind the first page are asked for by offset",
    breaks: "cursor-pagination",
    may_also_break: &[],
    shown_by: "long-lists",
    apply: |seams| {
        seams.pages.next_part = |_, read| ("offset", read.to_string());
    },
};
