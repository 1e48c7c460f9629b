//! The alert on errors never fires: its rule is written and nobody loaded it.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "error-alert-never-fires",
    summary: "the alert on errors never fires",
    breaks: "error-rate-alert",
    may_also_break: &[],
    shown_by: "one-in-a-hundred",
    apply: |seams| seams.alerts.sends = |name| name != "LinktreeErrorRate",
};
