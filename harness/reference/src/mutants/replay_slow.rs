//! A replay that is careful not to disturb: one click at a time, with long rests.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "replay-slow",
    summary: "a backlog is delivered click by click, five seconds apart",
    breaks: "click-lag",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| {
        seams.delivery.batch = Some(1);
        // Ten times the coalescing delay of 0.5 s.
        seams.delivery.extra_pause = 10;
    },
};
