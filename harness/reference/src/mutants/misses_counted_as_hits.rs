//! Counted after the page is in the cache, where by then every page is.

use super::Mutant;
use crate::source::Source;

pub const MUTANT: Mutant = Mutant {
    id: "misses-counted-as-hits",
    summary: "a page that was just filled is counted as a hit",
    breaks: "cache-hit-ratio",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.metrics.page = |source| match source {
            Source::Filled { .. } => "hit",
            other => other.label(),
        };
    },
};
