//! Deliveries back off, but all queues that failed together come back together.

use super::Mutant;
use crate::upstream::backoff::bound;

pub const MUTANT: Mutant = Mutant {
    id: "clicks-without-jitter",
    summary: "delays between deliveries of clicks grow, but are the same for all",
    breaks: "backoff-grows",
    may_also_break: &[],
    shown_by: "retry-gaps",
    apply: |seams| seams.delivery.backoff = Some(|settings, retry, _| bound(settings, retry)),
};
