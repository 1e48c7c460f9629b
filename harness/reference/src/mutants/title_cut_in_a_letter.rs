//! Long titles are cut to so many bytes, which may be in the middle of a letter.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "title-cut-in-a-letter",
    summary: "a page with a long title in other letters than English ones cannot be made",
    breaks: "pages-served",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.pages.links = |mut links| {
            for link in &mut links {
                let bytes = link.title.len().min(12);
                link.title = link.title[..bytes].to_owned();
            }
            Ok(links)
        };
    },
};
