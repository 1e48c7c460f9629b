//! A campaign is one thing, so it is sent as one.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "campaign-in-one-batch",
    summary: "all links of a campaign go in one call, more than Linktree takes",
    breaks: "bulk-batched",
    may_also_break: &[],
    shown_by: "campaign-launch",
    apply: |seams| seams.campaigns.batch = 10_000,
};
