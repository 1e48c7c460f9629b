//! Jitter without growth: the hundredth retry comes as soon as the first.

use super::Mutant;
use crate::upstream::backoff::full_jitter;

pub const MUTANT: Mutant = Mutant {
    id: "backoff-constant",
    summary: "the bound of the retry delay never grows",
    breaks: "backoff-grows",
    may_also_break: &[],
    shown_by: "retry-gaps",
    apply: |seams| seams.upstream.backoff = |settings, _, roll| full_jitter(settings, 1, roll),
};
