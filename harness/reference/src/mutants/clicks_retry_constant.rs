//! The queue waits a little after each failure, with jitter, and no longer after the tenth.

use super::Mutant;
use crate::upstream::backoff::full_jitter;

pub const MUTANT: Mutant = Mutant {
    id: "clicks-retry-constant",
    summary: "the bound of the delay between deliveries of clicks never grows",
    breaks: "backoff-grows",
    may_also_break: &[],
    shown_by: "rate-limit-storm",
    apply: |seams| {
        seams.delivery.backoff = Some(|settings, _, roll| full_jitter(settings, 1, roll));
    },
};
