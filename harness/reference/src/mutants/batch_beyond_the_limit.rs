//! A backlog goes out in one request, however long it is, and a 4xx is the end of it.

use super::Mutant;
use crate::linktree::Failure;

pub const MUTANT: Mutant = Mutant {
    id: "batch-beyond-the-limit",
    summary: "a batch may have a thousand clicks, and one that is refused whole is dropped",
    breaks: "clicks-delivered",
    may_also_break: &["click-lag"],
    shown_by: "outage-and-replay",
    apply: |seams| {
        seams.delivery.batch = Some(1_000);
        seams.delivery.abandons = |failure, _| *failure == Failure::Status(400);
    },
};
