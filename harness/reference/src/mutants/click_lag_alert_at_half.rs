//! On-call wanted to be early: the alert comes when a click has waited for half of what it may.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "click-lag-alert-at-half",
    summary: "the alert on waiting clicks fires at half the click lag",
    breaks: "click-lag",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| seams.alerts.click_lag = |configured| configured / 2,
};
