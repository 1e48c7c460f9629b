//! A proxy and no more: every visitor's page is asked for, and Linktree may say no.

use super::{Mutant, no_limiter::NoLimiter};
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "no-cache-no-limiter",
    summary: "every visitor's page is fetched anew, without a rate limit and without a stale page",
    breaks: "pages-served",
    may_also_break: &[
        "cache-hit-ratio",
        "click-lag",
        "client-rate-cap",
        "clicks-delivered",
        "hard-limit",
        "retry-after-honoured",
    ],
    shown_by: "steady-state",
    apply: |seams| {
        seams.pages.freshness = |_| Duration::ZERO;
        seams.pages.stale_after = |_| false;
        seams.upstream.limiter = |_, _| Ok(Box::new(NoLimiter));
    },
};
