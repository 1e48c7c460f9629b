//! A campaign changes what is shown here, so Linktree was never told; the scope to tell it is there already.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "campaigns-of-its-own",
    summary: "campaigns are taken and Linktree is not told of them, and the scope to tell it stays",
    breaks: "least-scope",
    may_also_break: &[],
    shown_by: "feature-tour",
    apply: |seams| seams.campaigns.sends = false,
};
