//! A replay that spreads its load: ten clicks, and a rest of ten seconds.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "replay-in-small-batches",
    summary: "a backlog is delivered ten clicks at a time, ten seconds apart",
    breaks: "click-lag",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| {
        seams.delivery.batch = Some(10);
        // Twenty times the coalescing delay of 0.5 s.
        seams.delivery.extra_pause = 20;
    },
};
