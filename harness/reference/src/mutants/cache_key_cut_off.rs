//! The column of the cache's key is too short, and the database cuts off what does not fit.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "cache-key-cut-off",
    summary: "of handles that begin alike, all are shown the first one's page",
    breaks: "stale-on-outage",
    may_also_break: &["breaker-recovers"],
    shown_by: "outage-and-replay",
    apply: |seams| {
        seams.pages.cache_key = |handle, _| handle.chars().take(8).collect();
    },
};
