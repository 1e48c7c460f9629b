//! A parser that knows seconds only; the other form of RFC 9110 looks like nonsense to it.

use super::Mutant;
use crate::upstream::retry_after::seconds;

pub const MUTANT: Mutant = Mutant {
    id: "retry-after-date-ignored",
    summary: "`Retry-After` is ignored when it is an HTTP-date",
    breaks: "retry-after-honoured",
    may_also_break: &[],
    shown_by: "rate-limit-storm",
    apply: |seams| seams.upstream.retry_after.parse = |text, _| seconds(text),
};
