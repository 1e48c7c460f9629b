//! Campaigns were built after the key was asked for, and tried with the key of somebody who may do all.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "scope-for-campaigns-forgotten",
    summary: "campaigns are sent with a key that is not good for writing links",
    breaks: "least-scope",
    may_also_break: &[],
    shown_by: "feature-tour",
    apply: |seams| {
        seams.scopes =
            &["profile:read", "links:read", "clicks:write", "analytics:read", "webhooks:write"];
    },
};
