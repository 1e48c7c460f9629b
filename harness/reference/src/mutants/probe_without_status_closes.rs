//! Half-open, the breaker looks for a bad status: what has no status at all has no bad one.

use super::Mutant;
use crate::linktree::Failure;

pub const MUTANT: Mutant = Mutant {
    id: "probe-without-status-closes",
    summary: "a probe that meets silence, a reset or a cut answer closes the breaker",
    breaks: "breaker-opens",
    may_also_break: &[],
    shown_by: "kinds-of-failure",
    apply: |seams| {
        seams.upstream.closes_after_probe = |failure| !matches!(failure, Failure::Status(_));
    },
};
