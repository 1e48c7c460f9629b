//! After a noisy night somebody raised the bound of the alert on errors from one in a hundred to twenty.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "error-alert-above-twenty-percent",
    summary: "the alert on errors fires above twenty in a hundred and not above one",
    breaks: "error-rate-alert",
    may_also_break: &[],
    shown_by: "one-in-a-hundred",
    apply: |seams| seams.alerts.errors_per_mille = 200,
};
