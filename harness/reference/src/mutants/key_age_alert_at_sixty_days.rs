//! The alert on an old key follows last year's policy, of sixty days.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "key-age-alert-at-sixty-days",
    summary: "the alert on an old key fires at sixty days of ninety",
    breaks: "key-rotation",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| seams.alerts.key_age = |configured| configured / 3 * 2,
};
