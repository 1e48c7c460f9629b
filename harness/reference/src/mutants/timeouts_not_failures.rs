//! Only answers are counted: a Linktree that says nothing is never found to be down.

use super::Mutant;
use crate::linktree::Failure;

pub const MUTANT: Mutant = Mutant {
    id: "timeouts-not-failures",
    summary: "the breaker does not count timeouts",
    breaks: "breaker-opens",
    may_also_break: &[],
    shown_by: "kinds-of-failure",
    apply: |seams| {
        seams.upstream.counts_as_failure =
            |failure| failure.is_outage() && *failure != Failure::Timeout;
    },
};
