//! A right signature was thought to be enough.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-timestamp-unchecked",
    summary: "a delivery may be as old, or as new, as it likes",
    breaks: "webhook-signature",
    may_also_break: &[],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.tolerance = |_| Duration::MAX,
};
