//! The alert on an old key is one more item of a list that nobody came to the end of.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "key-age-alert-never-fires",
    summary: "no alert comes when the key is older than ninety days",
    breaks: "key-rotation",
    may_also_break: &[],
    shown_by: "key-rotation-under-load",
    apply: |seams| seams.alerts.sends = |name| name != "LinktreeKeyAge",
};
