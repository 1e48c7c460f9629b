//! A connection that breaks is the network's fault, and the breaker is about Linktree.

use super::Mutant;
use crate::linktree::Failure;

pub const MUTANT: Mutant = Mutant {
    id: "resets-not-failures",
    summary: "the breaker does not count connections that break and answers that are cut short",
    breaks: "breaker-opens",
    may_also_break: &[],
    shown_by: "kinds-of-failure",
    apply: |seams| {
        seams.upstream.counts_as_failure =
            |failure| failure.is_outage() && *failure != Failure::Connection;
    },
};
