//! The forbidden schemes are looked for in any case and behind spaces, but not as browsers read them.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "scheme-check-misses-tabs",
    summary: "an address whose scheme has a tab or a control character in it is a link",
    breaks: "html-sanitised",
    may_also_break: &[],
    shown_by: "hostile-content",
    apply: |seams| {
        seams.front.html.is_link = |url| {
            let url = url.trim().to_ascii_lowercase();
            let forbidden = ["javascript", "vbscript", "data", "file", "view-source", "blob"];
            let scheme = url.split(':').next().unwrap_or_default();
            !forbidden.contains(&scheme)
        };
    },
};
