//! Handles are made fit for a file name before they become the cache's key.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "look-alikes-share-a-page",
    summary: "`ann_1` and `ann.1` are shown the page of `ann-1`",
    breaks: "stale-on-outage",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| {
        seams.pages.cache_key = |handle, _| handle.replace(['_', '.'], "-");
    },
};
