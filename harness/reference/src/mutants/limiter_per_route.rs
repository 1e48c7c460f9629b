//! One limiter for each route, though Linktree counts by key.

use super::Mutant;
use crate::{
    config::RateSettings,
    linktree::{Lane, Route},
    upstream::limiter::{Limiter, SlidingLog},
};
use tokio::time::Instant;

pub const MUTANT: Mutant = Mutant {
    id: "limiter-per-route",
    summary: "every route has a rate limit of its own",
    breaks: "client-rate-cap",
    may_also_break: &["hard-limit"],
    shown_by: "viral-spike",
    apply: |seams| seams.upstream.limiter = |settings, _| Ok(Box::new(PerRoute::new(settings))),
};

struct PerRoute([SlidingLog; Route::ALL.len()]);

impl PerRoute {
    fn new(settings: &RateSettings) -> Self {
        Self(Route::ALL.map(|_| SlidingLog::new(settings)))
    }
}

impl Limiter for PerRoute {
    fn try_take(&self, route: Route, now: Instant) -> Result<(), Instant> {
        self.0[route as usize].try_take(route, now)
    }

    fn free_at(&self, route: Route, now: Instant) -> Option<Instant> {
        self.0[route as usize].free_at(route, now)
    }

    fn used(&self, lane: Option<Lane>, now: Instant) -> usize {
        self.0.iter().map(|log| log.used(lane, now)).sum()
    }
}
