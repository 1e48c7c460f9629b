//! The file of failed webhooks is opened as one opens a file to write.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-failures-gone-on-restart",
    summary: "what was kept is gone when the process starts again",
    breaks: "webhook-failures-logged",
    may_also_break: &[],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.keeps_earlier = false,
};
