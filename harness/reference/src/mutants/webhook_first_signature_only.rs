//! Nobody had seen a sender with two keys.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-first-signature-only",
    summary: "of a list of signatures only the first is looked at",
    breaks: "webhook-signature",
    may_also_break: &["webhook-failures-logged"],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.signatures = 1,
};
