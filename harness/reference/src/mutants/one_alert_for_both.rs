//! "Linktree does not let us in" is one alert under two names, whatever the reason.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "one-alert-for-both",
    summary: "the alerts on timeouts and on refused keys fire for both",
    breaks: "timeout-not-auth",
    may_also_break: &[],
    shown_by: "slow-silent-locked-out",
    apply: |seams| {
        seams.alerts.timeouts = &["timeout", "auth"];
        seams.alerts.refusals = seams.alerts.timeouts;
    },
};
