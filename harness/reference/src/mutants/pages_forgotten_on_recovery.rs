//! Linktree is back, so away with all that is old: what was kept for the next outage goes with it.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "pages-forgotten-on-recovery",
    summary: "when the breaker has closed again, all pages that are kept are let go, to have them new",
    breaks: "stale-on-outage",
    may_also_break: &[],
    shown_by: "flapping",
    apply: |seams| seams.pages.forgets_on_recovery = true,
};
