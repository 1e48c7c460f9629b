//! Use of the limit is counted where visitors are, so that pages from the cache use it up as well.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "headroom-counts-page-views",
    summary: "the alert on headroom counts page views that the cache served as calls",
    breaks: "headroom-alert",
    may_also_break: &[],
    shown_by: "close-to-the-limit",
    apply: |seams| {
        seams.metrics.remembers_views = true;
        seams.alerts.used =
            |upstream, recent, window| upstream.used(None) + recent.views_within(window);
    },
};
