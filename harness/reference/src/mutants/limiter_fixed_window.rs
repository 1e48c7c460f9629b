//! A counter that starts again with every window, so two caps fit around a boundary.

use super::Mutant;
use crate::{
    clock,
    config::RateSettings,
    linktree::{Lane, Route},
    upstream::limiter::Limiter,
};
use std::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

pub const MUTANT: Mutant = Mutant {
    id: "limiter-fixed-window",
    summary: "the rate limit counts in fixed windows, not in a sliding one",
    breaks: "client-rate-cap",
    may_also_break: &["hard-limit", "cache-hit-ratio"],
    shown_by: "viral-spike",
    apply: |seams| seams.upstream.limiter = |settings, _| Ok(Box::new(FixedWindow::new(settings))),
};

struct FixedWindow {
    settings: RateSettings,
    counts: Mutex<Counts>,
}

struct Counts {
    began: Instant,
    pages: usize,
    clicks: usize,
}

impl FixedWindow {
    fn new(settings: &RateSettings) -> Self {
        let counts = Counts { began: clock::now(), pages: 0, clicks: 0 };
        Self { settings: settings.clone(), counts: Mutex::new(counts) }
    }

    fn current(&self, now: Instant) -> MutexGuard<'_, Counts> {
        let mut counts = self.counts.lock().unwrap();
        while now >= counts.began + self.settings.window {
            *counts = Counts { began: counts.began + self.settings.window, pages: 0, clicks: 0 };
        }
        counts
    }

    fn full(&self, counts: &Counts, lane: Lane) -> Option<Instant> {
        let pages_cap = self.settings.cap - self.settings.reserved_for_clicks;
        let full = counts.pages + counts.clicks >= self.settings.cap
            || lane == Lane::Pages && counts.pages >= pages_cap;
        full.then(|| counts.began + self.settings.window)
    }
}

impl Limiter for FixedWindow {
    fn try_take(&self, route: Route, now: Instant) -> Result<(), Instant> {
        let mut counts = self.current(now);
        if let Some(next) = self.full(&counts, route.lane()) {
            return Err(next);
        }
        match route.lane() {
            Lane::Pages => counts.pages += 1,
            Lane::Clicks => counts.clicks += 1,
        }
        Ok(())
    }

    fn free_at(&self, route: Route, now: Instant) -> Option<Instant> {
        self.full(&self.current(now), route.lane())
    }

    fn used(&self, lane: Option<Lane>, now: Instant) -> usize {
        let counts = self.current(now);
        match lane {
            Some(Lane::Pages) => counts.pages,
            Some(Lane::Clicks) => counts.clicks,
            None => counts.pages + counts.clicks,
        }
    }
}
