//! The error rate is that of a fifth of its window, where a single failure is more than one in a hundred.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "error-rate-of-a-moment",
    summary: "the error rate is that of one minute and not of five: a single failure wakes somebody",
    breaks: "error-rate-alert",
    may_also_break: &[],
    shown_by: "one-in-a-hundred",
    apply: |seams| {
        seams.alerts.error_window = |configured| configured / 5;
        seams.alerts.min_calls = |configured| configured / 5;
    },
};
