//! A line in the log was thought to be enough for whoever has to mend it.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-failures-in-log-only",
    summary: "of a webhook that cannot be processed only its id is logged",
    breaks: "webhook-failures-logged",
    may_also_break: &[],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.keeps = |_| None,
};
