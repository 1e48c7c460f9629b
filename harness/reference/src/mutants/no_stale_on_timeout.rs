//! The error page is for errors, and somebody forgot that a timeout is one.

use super::Mutant;
use crate::linktree::Failure;

pub const MUTANT: Mutant = Mutant {
    id: "no-stale-on-timeout",
    summary: "an expired page is not shown when Linktree is too slow",
    breaks: "stale-on-outage",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| seams.pages.stale_after = |failure| *failure != Failure::Timeout,
};
