//! "No access" and "no answer" are one class of trouble, and it has the name of the commoner one.

use super::Mutant;
use crate::{linktree::Failure, metrics::outcome};

pub const MUTANT: Mutant = Mutant {
    id: "auth-counted-as-timeouts",
    summary: "a failed authentication is counted as a timeout",
    breaks: "timeout-not-auth",
    may_also_break: &[],
    shown_by: "slow-silent-locked-out",
    apply: |seams| {
        seams.metrics.outcome = |end| match end {
            Err(Failure::Status(401 | 403)) => "timeout",
            end => outcome(end),
        };
    },
};
