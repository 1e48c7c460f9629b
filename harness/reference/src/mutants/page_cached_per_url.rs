//! The cache in front of the handler takes the whole address for its key, as most do.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "page-cached-per-url",
    summary: "each campaign's visitors fill the same page anew",
    breaks: "pages-served",
    may_also_break: &["cache-hit-ratio"],
    shown_by: "steady-state",
    apply: |seams| {
        seams.pages.cache_key = |handle, query| format!("{handle}?{}", query.unwrap_or(""));
    },
};
