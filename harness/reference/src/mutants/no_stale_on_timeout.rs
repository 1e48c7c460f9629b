//! The error page is for errors, and somebody forgot that a timeout is one.

use super::Mutant;
use crate::upstream::Failure;

/// An expired page is not shown when Linktree is too slow.
pub const MUTANT: Mutant = Mutant {
    id: "no-stale-on-timeout",
    summary: "an expired page is not shown when Linktree is too slow",
    breaks: "stale-on-outage",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| seams.stale_after = |failure| *failure != Failure::Timeout,
};
