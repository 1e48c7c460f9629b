//! The alert on headroom never fires: its rule is written and nobody loaded it.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "headroom-alert-never-fires",
    summary: "the alert on headroom never fires",
    breaks: "headroom-alert",
    may_also_break: &[],
    shown_by: "close-to-the-limit",
    apply: |seams| seams.alerts.sends = |name| name != "LinktreeHeadroom",
};
