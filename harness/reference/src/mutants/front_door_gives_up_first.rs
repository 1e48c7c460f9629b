//! The server in front of the handlers has a limit of its own, and nobody looked at it.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "front-door-gives-up-first",
    summary: "a creator who waits for figures is sent away after 25 s",
    breaks: "analytics-timeout",
    may_also_break: &[],
    shown_by: "slow-analytics",
    apply: |seams| {
        seams.analytics.wait = |limit| limit * 25 / 30;
    },
};
