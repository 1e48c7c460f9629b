//! Everybody fetches for himself: the cache is only asked before.

use super::Mutant;
use std::sync::atomic::{AtomicU64, Ordering};

pub const MUTANT: Mutant = Mutant {
    id: "fills-not-shared",
    summary: "visitors who come while a page is fetched each fetch it as well",
    breaks: "cache-hit-ratio",
    may_also_break: &["pages-served"],
    shown_by: "viral-spike",
    apply: |seams| {
        seams.pages.calls = |_| 0;
        seams.pages.collapse_key = |handle, _| {
            static FLIGHTS: AtomicU64 = AtomicU64::new(0);
            format!("{handle}#{}", FLIGHTS.fetch_add(1, Ordering::Relaxed))
        };
    },
};
