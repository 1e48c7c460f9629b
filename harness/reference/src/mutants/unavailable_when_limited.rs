//! A full limiter is an error like any other, and the error page is for errors.

use super::Mutant;
use crate::linktree::{Barrier, Failure};

pub const MUTANT: Mutant = Mutant {
    id: "unavailable-when-limited",
    summary: "an expired page is not shown when the limiter leaves no room to fetch it again",
    breaks: "pages-served",
    may_also_break: &["cache-hit-ratio"],
    shown_by: "viral-spike",
    apply: |seams| {
        seams.pages.stale_after =
            |failure| !matches!(failure, Failure::Barred(Barrier::RateLimit(_)));
    },
};
