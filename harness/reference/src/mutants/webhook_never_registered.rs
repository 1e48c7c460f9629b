//! It was registered by hand once, in the account of the developer.

use super::Mutant;
use crate::webhooks::Trying;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-never-registered",
    summary: "the service registers no webhook",
    breaks: "webhook-registered",
    may_also_break: &[],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.registers = Trying::Never,
};
