//! Every route shares the one limit of the client, which was made for pages.

use super::Mutant;
use crate::linktree::Route;

pub const MUTANT: Mutant = Mutant {
    id: "analytics-limit-of-ten-seconds",
    summary: "a query for figures is given up after ten seconds instead of thirty",
    breaks: "analytics-timeout",
    may_also_break: &[],
    shown_by: "slow-analytics",
    apply: |seams| {
        seams.upstream.time_limit = |route, limit| match route {
            Route::Analytics => limit / 3,
            _ => limit,
        };
    },
};
