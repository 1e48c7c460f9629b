//! Signatures are compared as far as the shorter one goes.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-signature-prefix",
    summary: "a signature that is cut short is right as far as it goes",
    breaks: "webhook-signature",
    may_also_break: &[],
    shown_by: "webhook-flood",
    apply: |seams| {
        seams.webhooks.same = |right, given| !given.is_empty() && right.starts_with(given);
    },
};
