//! `Retry-After` is thought to belong to 429.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "retry-after-ignored-on-503",
    summary: "`Retry-After` is ignored on a 503",
    breaks: "retry-after-honoured",
    may_also_break: &[],
    shown_by: "rate-limit-storm",
    apply: |seams| seams.upstream.retry_after.honours = |status| status == 429,
};
