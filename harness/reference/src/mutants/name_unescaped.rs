//! Titles and biographies are escaped, and the name is what the team has seen a thousand times: two words.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "name-unescaped",
    summary: "a creator's name is written into the page as it is",
    breaks: "html-sanitised",
    may_also_break: &[],
    shown_by: "hostile-content",
    apply: |seams| {
        seams.front.html.name = str::to_owned;
    },
};
