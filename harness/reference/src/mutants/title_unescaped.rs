//! A template marks titles as safe, since they used to come from the team's own editor.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "title-unescaped",
    summary: "titles of links are written into the page as they are",
    breaks: "html-sanitised",
    may_also_break: &[],
    shown_by: "hostile-content",
    apply: |seams| {
        seams.front.html.title = str::to_owned;
    },
};
