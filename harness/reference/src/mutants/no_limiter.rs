//! Nobody counts: the cap is Linktree's business.

use super::Mutant;
use crate::upstream::{
    Route,
    limiter::{Lane, Limiter},
};
use tokio::time::Instant;

/// There is no client-side rate limit at all.
pub const MUTANT: Mutant = Mutant {
    id: "no-limiter",
    summary: "there is no client-side rate limit at all",
    breaks: "hard-limit",
    may_also_break: &["client-rate-cap"],
    shown_by: "viral-spike",
    apply: |seams| seams.limiter = |_| Box::new(NoLimiter),
};

struct NoLimiter;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::limiter::tests::peak;

    #[test]
    fn a_burst_around_a_boundary_exceeds_the_limit() {
        let spike = [(50_000, Route::Profile), (0, Route::Links)].into_iter();
        let more = (0..100).flat_map(|_| [(100, Route::Profile), (100, Route::Links)]);
        let arrivals: Vec<_> = spike.chain(more).collect();
        assert!(peak(&NoLimiter, &arrivals) > 100);
    }
}
