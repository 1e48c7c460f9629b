//! The places where behaviour can be swapped: plain values whose default is what production does.

use crate::{
    clicks::{ClickStore, SqliteStore, StoreError, delivery::DeliveryPolicy},
    config::{Config, RateSettings, RetrySettings},
    front::FrontPolicy,
    logs::LogPolicy,
    metrics::MetricsPolicy,
    secrets::{self, SecretsFuture},
    upstream::{
        Failure, Route, Shape, TimeoutKind,
        backoff::full_jitter,
        breaker::BreakerPolicy,
        limiter::{Limiter, SlidingLog},
        retry_after::RetryAfterPolicy,
    },
};
use std::{path::Path, sync::Arc, time::Duration};

/// One value per decision.
#[derive(Clone)]
pub struct Seams {
    /// When the breaker opens, and how it closes.
    pub breaker: BreakerPolicy,
    /// Which failures the breaker counts.
    pub counts_as_failure: fn(&Failure) -> bool,
    /// Builds the limiter that all calls share.
    pub limiter: fn(&RateSettings) -> Box<dyn Limiter>,
    /// Whether the attempt with this number, from 1, asks the limiter.
    pub limits_attempt: fn(u32) -> bool,
    /// Which `Retry-After` is obeyed.
    pub retry_after: RetryAfterPolicy,
    /// The delay before retry number n, from 1, for a roll in 0..1.
    pub backoff: fn(&RetrySettings, u32, f64) -> Duration,
    /// What the time limit of an attempt covers.
    pub timeout: fn(Route) -> TimeoutKind,
    /// How requests look.
    pub shape: Shape,
    /// Which flight a fill joins: its handle, and the key of some flight in the air.
    pub collapse_key: fn(&str, Option<&str>) -> String,
    /// How long an answer is fresh, given its `max-age`.
    pub freshness: fn(Duration) -> Duration,
    /// Whether an expired page may be shown after this failure.
    pub stale_after: fn(&Failure) -> bool,
    /// Opens the click queue in a folder.
    pub store: fn(&Path) -> Result<Arc<dyn ClickStore>, StoreError>,
    /// How clicks are delivered.
    pub delivery: DeliveryPolicy,
    /// Where the secrets come from, at the start.
    pub secrets: for<'a> fn(&'a reqwest::Client, &'a Config) -> SecretsFuture<'a>,
    /// What the front door tells of the client behind it.
    pub front: FrontPolicy,
    /// What the log says.
    pub log: LogPolicy,
    /// What is counted as what.
    pub metrics: MetricsPolicy,
}

impl Default for Seams {
    fn default() -> Self {
        Self {
            breaker: BreakerPolicy::default(),
            counts_as_failure: Failure::is_outage,
            limiter: |settings| Box::new(SlidingLog::new(settings)),
            limits_attempt: |_| true,
            retry_after: RetryAfterPolicy::default(),
            backoff: full_jitter,
            timeout: |_| TimeoutKind::Total,
            shape: Shape::default(),
            collapse_key: |handle, _| handle.to_owned(),
            freshness: |max_age| max_age,
            stale_after: |_| true,
            store: |folder| Ok(Arc::new(SqliteStore::open(folder)?)),
            delivery: DeliveryPolicy::default(),
            secrets: |http, config| Box::pin(secrets::read(http, config)),
            front: FrontPolicy::default(),
            log: LogPolicy::default(),
            metrics: MetricsPolicy::default(),
        }
    }
}
