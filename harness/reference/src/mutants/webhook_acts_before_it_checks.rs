//! A layer purges pages as soon as a webhook mentions them, and the handler behind it checks.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-acts-before-it-checks",
    summary: "what a delivery says is done first, and then it is refused",
    breaks: "webhook-signature",
    may_also_break: &[],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.acts_before_it_checks = true,
};
