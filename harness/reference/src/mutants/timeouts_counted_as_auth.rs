//! The last branch of a match takes in whatever has no status, and its word is `auth`.

use super::Mutant;
use crate::{linktree::Failure, metrics::outcome};

pub const MUTANT: Mutant = Mutant {
    id: "timeouts-counted-as-auth",
    summary: "a timeout is counted as a failed authentication",
    breaks: "timeout-not-auth",
    may_also_break: &[],
    shown_by: "slow-silent-locked-out",
    apply: |seams| {
        seams.metrics.outcome = |end| match end {
            Err(Failure::Timeout) => "auth",
            end => outcome(end),
        };
    },
};
