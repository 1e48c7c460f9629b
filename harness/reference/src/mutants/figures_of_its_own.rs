//! Linktree's figures were too slow, so clicks are counted here now; the scope for the figures stayed.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "figures-of-its-own",
    summary: "creators are shown figures that Linktree was not asked for, and the scope for them stays",
    breaks: "least-scope",
    may_also_break: &[],
    shown_by: "feature-tour",
    apply: |seams| seams.analytics.asks = false,
};
