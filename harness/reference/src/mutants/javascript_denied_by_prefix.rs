//! Whoever heard of `javascript:` addresses wrote a list of what is forbidden.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "javascript-denied-by-prefix",
    summary: "an address is a link unless it begins with javascript:, spelled so",
    breaks: "html-sanitised",
    may_also_break: &[],
    shown_by: "hostile-content",
    apply: |seams| {
        seams.front.html.is_link = |url| !url.starts_with("javascript:");
    },
};
