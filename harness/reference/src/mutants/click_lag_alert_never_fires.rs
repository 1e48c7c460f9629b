//! The alert on waiting clicks asks for a queue depth that nobody exposes.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "click-lag-alert-never-fires",
    summary: "the alert on waiting clicks never fires",
    breaks: "click-lag",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| seams.alerts.sends = |name| name != "LinktreeClickLag",
};
