//! A creator's figures: slow by design, so they are kept for a while, and asked for once at a time.
//!
//! Whoever asks has shown before that they are their own ([`crate::sessions`]); here a handle is a handle.
//! Figures are asked for within one time limit over all attempts, which begins when the creator does.

mod figures;

pub use figures::Figures;

use crate::{clock, config::AnalyticsSettings, linktree::Failure, upstream::Upstream};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

type Landing = Result<Arc<Figures>, Failure>;
type Flight = watch::Receiver<Option<Landing>>;

/// Creators whose figures are kept; the oldest go first.
const KEPT: usize = 1_000;

/// What is decided about figures.
#[derive(Clone, Copy)]
pub struct AnalyticsPolicy {
    /// How long a creator waits, given the time limit.
    pub wait: fn(Duration) -> Duration,
    /// Whether Linktree is asked.
    pub asks: bool,
}

impl Default for AnalyticsPolicy {
    fn default() -> Self {
        Self { wait: |limit| limit, asks: true }
    }
}

#[derive(Default)]
struct Desk {
    kept: HashMap<String, (Instant, Arc<Figures>)>,
    flights: HashMap<String, Flight>,
}

/// All figures.
pub struct Analytics {
    upstream: Arc<Upstream>,
    settings: AnalyticsSettings,
    policy: AnalyticsPolicy,
    desk: Mutex<Desk>,
}

impl Analytics {
    /// Nothing was asked for yet.
    pub fn new(
        upstream: Arc<Upstream>,
        settings: &AnalyticsSettings,
        policy: AnalyticsPolicy,
    ) -> Self {
        Self { upstream, settings: settings.clone(), policy, desk: Mutex::default() }
    }

    /// The figures of a creator, if they are at hand.
    pub fn kept(&self, handle: &str) -> Option<Arc<Figures>> {
        let desk = self.desk.lock().unwrap();
        let (at, figures) = desk.kept.get(handle)?;
        (at.elapsed() < self.settings.fresh_for).then(|| figures.clone())
    }

    /// The figures of a creator who has been waiting since `asked_at`.
    ///
    /// # Errors
    /// With the failure of the last attempt, or when the time is over.
    pub async fn of(self: &Arc<Self>, handle: &str, asked_at: Instant) -> Landing {
        if let Some(figures) = self.kept(handle) {
            return Ok(figures);
        }
        let mut flight = self.board(handle, asked_at + self.settings.limit);
        let until = asked_at + (self.policy.wait)(self.settings.limit);
        match tokio::time::timeout_at(until, flight.wait_for(Option::is_some)).await {
            Ok(Ok(landing)) => (*landing).clone().expect("waited for it"),
            Ok(Err(_)) => Err(Failure::Malformed),
            Err(_) => Err(Failure::Timeout),
        }
    }

    /// Joins the flight for this handle, or starts one. It goes on when its creator leaves: whoever
    /// reloads the page does not pay twice.
    fn board(self: &Arc<Self>, handle: &str, deadline: Instant) -> Flight {
        let mut desk = self.desk.lock().unwrap();
        // A sender that is gone without landing has panicked; do not wait for it.
        if let Some(flight) = desk.flights.get(handle).filter(|f| f.has_changed().is_ok()) {
            return flight.clone();
        }
        let (land, flight) = watch::channel(None);
        desk.flights.insert(handle.to_owned(), flight.clone());
        drop(desk);
        let (analytics, handle) = (self.clone(), handle.to_owned());
        tokio::spawn(async move {
            let days = analytics.settings.days;
            let landing = if analytics.policy.asks {
                figures::ask(&analytics.upstream, &handle, days, deadline).await
            } else {
                Ok(Figures::none_of(&handle))
            };
            let landing = landing.map(Arc::new);
            analytics.finish(&handle, &landing);
            land.send_replace(Some(landing));
        });
        flight
    }

    fn finish(&self, handle: &str, landing: &Landing) {
        let mut desk = self.desk.lock().unwrap();
        desk.flights.remove(handle);
        let Ok(figures) = landing else { return };
        desk.kept.retain(|_, (at, _)| at.elapsed() < self.settings.fresh_for);
        if desk.kept.len() >= KEPT {
            let oldest = desk.kept.iter().min_by_key(|(_, (at, _))| *at);
            if let Some(oldest) = oldest.map(|(handle, _)| handle.clone()) {
                desk.kept.remove(&oldest);
            }
        }
        desk.kept.insert(handle.to_owned(), (clock::now(), figures.clone()));
    }
}
