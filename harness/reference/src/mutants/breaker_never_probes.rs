//! Half-open was never written: once open, the breaker waits for a restart.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "breaker-never-probes",
    summary: "once open, the breaker lets no probe through, so service never resumes",
    breaks: "breaker-recovers",
    may_also_break: &["click-lag", "clicks-delivered", "stale-on-outage"],
    shown_by: "outage-and-replay",
    apply: |seams| seams.upstream.breaker.probes = Some(0),
};
