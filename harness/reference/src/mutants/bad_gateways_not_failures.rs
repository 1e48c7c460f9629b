//! A 502 is somebody else's fault: the gateway's.

use super::Mutant;
use crate::linktree::Failure;

pub const MUTANT: Mutant = Mutant {
    id: "bad-gateways-not-failures",
    summary: "the breaker does not count answers of 502",
    breaks: "breaker-opens",
    may_also_break: &[],
    shown_by: "calibration",
    apply: |seams| {
        seams.upstream.counts_as_failure =
            |failure| failure.is_outage() && *failure != Failure::Status(502);
    },
};
