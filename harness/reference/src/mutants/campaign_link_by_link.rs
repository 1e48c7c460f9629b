//! A loop over the links, as the first example of every client library has it.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "campaign-link-by-link",
    summary: "each link of a campaign is changed by a call of its own",
    breaks: "bulk-batched",
    may_also_break: &[],
    shown_by: "campaign-launch",
    apply: |seams| seams.campaigns.batch = 1,
};
