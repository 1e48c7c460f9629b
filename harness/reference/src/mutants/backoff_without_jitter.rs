//! Growth without jitter: all clients that failed together come back together.

use super::Mutant;
use crate::upstream::backoff::bound;

pub const MUTANT: Mutant = Mutant {
    id: "backoff-without-jitter",
    summary: "retry delays grow, but all clients retry at the same moment",
    breaks: "backoff-grows",
    may_also_break: &[],
    shown_by: "retry-gaps",
    apply: |seams| seams.upstream.backoff = |settings, retry, _| bound(settings, retry),
};
