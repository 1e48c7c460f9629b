//! The body comes from a template, and the head from a helper that puts strings together.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "name-unescaped-in-the-head",
    summary: "a creator's name is the document's title as it is, and escaped where visitors see it",
    breaks: "html-sanitised",
    may_also_break: &[],
    shown_by: "hostile-content",
    apply: |seams| {
        seams.front.html.head = str::to_owned;
    },
};
