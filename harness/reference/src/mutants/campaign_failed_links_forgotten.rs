//! The batch was answered with 200, and nobody looked inside.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "campaign-failed-links-forgotten",
    summary: "a batch that was answered with 200 counts as done, whatever became of its links",
    breaks: "bulk-batched",
    may_also_break: &[],
    shown_by: "campaign-launch",
    apply: |seams| seams.campaigns.reads_results = false,
};
