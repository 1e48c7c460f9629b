//! An open time that grows while Linktree stays down is prudent; this one grows whenever it goes down again,
//! and no good hour makes it short.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "open-time-doubles-with-each-trip",
    summary: "whenever the breaker opens after it has closed again, it stays open for twice as long as the last time",
    breaks: "breaker-recovers",
    may_also_break: &["click-lag", "clicks-delivered", "stale-on-outage"],
    shown_by: "flapping",
    apply: |seams| {
        seams.upstream.breaker.open_for = |declared, recoveries| {
            let doubled = u32::try_from(recoveries).unwrap_or(u32::MAX).min(10);
            declared * 2_u32.pow(doubled)
        };
    },
};
