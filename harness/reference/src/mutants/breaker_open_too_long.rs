//! A minute sounded safer than half of one.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "breaker-open-too-long",
    summary: "the breaker stays open for twice the declared time",
    breaks: "breaker-recovers",
    may_also_break: &["click-lag", "stale-on-outage"],
    shown_by: "calibration",
    apply: |seams| seams.upstream.breaker.open_for = |declared, _| declared * 2,
};
