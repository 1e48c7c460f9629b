//! The limiter stands before the call, and the retries happen inside it.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "retries-bypass-limiter",
    summary: "only first attempts ask the limiter, retries do not",
    breaks: "client-rate-cap",
    may_also_break: &["hard-limit"],
    shown_by: "rate-limit-storm",
    apply: |seams| seams.upstream.limits_attempt = |number, _| number == 1,
};
