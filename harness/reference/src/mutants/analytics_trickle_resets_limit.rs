//! A read timeout of thirty seconds that every byte starts again.

use super::Mutant;
use crate::{linktree::Route, upstream::TimeoutKind};

pub const MUTANT: Mutant = Mutant {
    id: "analytics-trickle-resets-limit",
    summary: "a query for figures that trickles is never given up",
    breaks: "analytics-timeout",
    may_also_break: &[],
    shown_by: "slow-analytics",
    apply: |seams| {
        seams.upstream.timeout = |route| match route {
            Route::Analytics => TimeoutKind::Silence,
            _ => TimeoutKind::Total,
        };
    },
};
