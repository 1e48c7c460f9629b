//! The alert on headroom does not wait: every burst wakes somebody, though it is over after a minute.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "headroom-alert-at-once",
    summary: "the alert on headroom fires as soon as use is high, and so for every burst",
    breaks: "headroom-alert",
    may_also_break: &[],
    shown_by: "close-to-the-limit",
    apply: |seams| seams.alerts.headroom_for = |_| Duration::ZERO,
};
