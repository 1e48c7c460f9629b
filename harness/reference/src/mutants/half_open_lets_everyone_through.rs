//! A half-open state without limit: the open time is over, so all calls go out again.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "half-open-lets-everyone-through",
    summary: "after the open time every call passes, while Linktree is still down",
    breaks: "breaker-opens",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| {
        seams.upstream.breaker.probes = Some(u32::MAX);
        seams.upstream.breaker.failed_probes_to_open = None;
    },
};
