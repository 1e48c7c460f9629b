//! Whoever knows the address of the figures sees them: it was meant for own front ends only.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "analytics-for-anybody",
    summary: "everybody sees everybody's figures",
    breaks: "analytics-scope",
    may_also_break: &[],
    shown_by: "slow-analytics",
    apply: |seams| {
        seams.front.access.admits = |_, _| Ok(());
    },
};
