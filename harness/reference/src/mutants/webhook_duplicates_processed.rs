//! Nobody remembers what was dealt with.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-duplicates-processed",
    summary: "a delivery that comes twice is acted upon twice",
    breaks: "webhook-signature",
    may_also_break: &[],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.remembers = false,
};
