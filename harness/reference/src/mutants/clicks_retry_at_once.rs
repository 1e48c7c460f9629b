//! Pages have a retry library, and the queue a loop: what failed is still there, so it goes again.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "clicks-retry-at-once",
    summary: "deliveries of clicks that failed go again at once",
    breaks: "backoff-grows",
    may_also_break: &[],
    shown_by: "rate-limit-storm",
    apply: |seams| seams.delivery.backoff = Some(|_, _, _| Duration::ZERO),
};
