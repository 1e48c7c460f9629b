//! The idempotency key is made where the request is made, so a retry is a new click.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "fresh-key-per-attempt",
    summary: "every attempt of a click carries a new idempotency key",
    breaks: "clicks-counted-once",
    may_also_break: &["breaker-recovers", "click-lag"],
    shown_by: "outage-and-replay",
    apply: |seams| {
        // Batches have no key of their own, so this service does not use them.
        seams.delivery.batch = Some(1);
        seams.delivery.idempotency_key = |event_id, attempt| format!("{event_id}-{attempt}");
    },
};
