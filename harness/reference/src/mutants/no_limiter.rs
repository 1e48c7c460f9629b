//! Nobody counts: the cap is Linktree's business.

use super::Mutant;
use crate::{
    linktree::{Lane, Route},
    upstream::limiter::Limiter,
};
use tokio::time::Instant;

pub const MUTANT: Mutant = Mutant {
    id: "no-limiter",
    summary: "there is no client-side rate limit at all",
    breaks: "hard-limit",
    may_also_break: &["client-rate-cap"],
    shown_by: "viral-spike",
    apply: |seams| seams.upstream.limiter = |_, _| Ok(Box::new(NoLimiter)),
};

pub(super) struct NoLimiter;

impl Limiter for NoLimiter {
    fn try_take(&self, _: Route, _: Instant) -> Result<(), Instant> {
        Ok(())
    }

    fn free_at(&self, _: Route, _: Instant) -> Option<Instant> {
        None
    }

    fn used(&self, _: Option<Lane>, _: Instant) -> usize {
        0
    }
}
