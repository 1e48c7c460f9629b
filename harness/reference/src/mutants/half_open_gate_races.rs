//! Check, then act: whether a probe may go out is looked up in a store that all workers share, and
//! only noted there when it goes; all who ask in between are probes.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "half-open-gate-races",
    summary: "when half-open, everyone who comes within twenty milliseconds of the first probe passes",
    breaks: "breaker-opens",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| {
        seams.upstream.breaker.probe_taken_after = Some(Duration::from_millis(20));
    },
};
