//! The check of the session stands behind the cache, with everything else that takes time.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "analytics-checked-on-a-miss",
    summary: "whoever comes while figures are kept sees them",
    breaks: "analytics-scope",
    may_also_break: &[],
    shown_by: "slow-analytics",
    apply: |seams| {
        seams.front.access.kept_first = true;
    },
};
