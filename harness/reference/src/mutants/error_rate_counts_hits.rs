//! Failures are divided by page views, most of which need no call: the better the cache, the fewer the errors.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "error-rate-counts-hits",
    summary: "the error rate's denominator holds page views that the cache served",
    breaks: "error-rate-alert",
    may_also_break: &[],
    shown_by: "one-in-a-hundred",
    apply: |seams| {
        seams.metrics.remembers_views = true;
        seams.alerts.calls = |sight| sight.calls.len() + sight.views;
    },
};
