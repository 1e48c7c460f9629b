//! The call stands in the start-up code, without a retry.

use super::Mutant;
use crate::webhooks::Trying;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-registered-once-or-never",
    summary: "a registration that fails is not tried again",
    breaks: "webhook-registered",
    may_also_break: &[],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.registers = Trying::Once,
};
