//! The check was switched off for a test, and never on again.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-signature-not-checked",
    summary: "whoever posts to the webhook is believed",
    breaks: "webhook-signature",
    may_also_break: &[],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.checks_signatures = false,
};
