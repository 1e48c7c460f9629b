//! Only the first part of a list of links is read.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "first-links-only",
    summary: "a page shows a hundred links at the most",
    breaks: "stale-on-outage",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| {
        (seams.pages.link_parts, seams.pages.without_end) = (1, Ok);
    },
};
