//! What the client decides: when it may call, how often, how long it waits, how its requests look.

use super::{
    backoff::{Backoff, full_jitter},
    breaker::BreakerPolicy,
    limiter::{Limiter, SlidingLog},
    retry_after::RetryAfterPolicy,
};
use crate::{
    config::RateSettings,
    linktree::{Failure, Route},
};
use std::{io, path::Path, time::Duration};

/// One value per decision of the client.
#[derive(Clone, Copy)]
pub struct UpstreamPolicy {
    /// When the breaker opens, and how it closes.
    pub breaker: BreakerPolicy,
    /// Which failures the breaker counts.
    pub counts_as_failure: fn(&Failure) -> bool,
    /// Which failures of a probe it takes for successes.
    pub closes_after_probe: fn(&Failure) -> bool,
    /// Builds the limiter that all calls share, and that may keep a file in the data folder.
    pub limiter: fn(&RateSettings, &Path) -> io::Result<Box<dyn Limiter>>,
    /// Whether the attempt with this number, from 1, asks the limiter; so long after the end of a wait
    /// that Linktree asked for, if it ever did.
    pub limits_attempt: fn(u32, Option<Duration>) -> bool,
    /// Which `Retry-After` is obeyed.
    pub retry_after: RetryAfterPolicy,
    /// How retries are spaced.
    pub backoff: Backoff,
    /// What the time limit of an attempt covers.
    pub timeout: fn(Route) -> TimeoutKind,
    /// The time limit of an attempt, given what is configured.
    pub time_limit: fn(Route, Duration) -> Duration,
    /// How requests look.
    pub shape: Shape,
}

impl Default for UpstreamPolicy {
    fn default() -> Self {
        Self {
            breaker: BreakerPolicy::default(),
            counts_as_failure: Failure::is_outage,
            closes_after_probe: |_| false,
            limiter: |settings, folder| Ok(Box::new(SlidingLog::kept_in(settings, folder)?)),
            limits_attempt: |_, _| true,
            retry_after: RetryAfterPolicy::default(),
            backoff: full_jitter,
            timeout: |_| TimeoutKind::Total,
            time_limit: |_, configured| configured,
            shape: Shape::default(),
        }
    }
}

/// What the time limit of an attempt covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutKind {
    /// The whole attempt, to the last byte of the body.
    Total,
    /// The way to the head of the answer; its body may take as long as it likes.
    Head,
    /// Each silence: a trickle never runs into it.
    Silence,
    /// Nothing.
    None,
}

/// Where the API key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlacement {
    /// In `Authorization` only.
    Header,
    /// In the query as well, for all logs on the way to read.
    HeaderAndQuery,
    /// In a header of its own as well, which nobody on the way knows to hide.
    TwoHeaders,
}

/// How requests look, by route.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Where the key stands.
    pub key: fn(Route) -> KeyPlacement,
    /// Whether `Accept` is sent.
    pub accept: fn(Route) -> bool,
    /// Whether a body is sent with its `Content-Type`.
    pub content_type: fn(Route) -> bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self { key: |_| KeyPlacement::Header, accept: |_| true, content_type: |_| true }
    }
}
