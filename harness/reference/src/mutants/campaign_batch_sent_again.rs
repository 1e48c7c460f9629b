//! A batch is done when all of it is done.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "campaign-batch-sent-again",
    summary: "after some of its links have failed, the whole batch is sent again",
    breaks: "bulk-batched",
    may_also_break: &[],
    shown_by: "campaign-launch",
    apply: |seams| seams.campaigns.only_failed = false,
};
