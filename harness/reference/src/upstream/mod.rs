//! The client of Linktree: admission, one attempt, and retries.
//!
//! Every attempt passes the gate (`Retry-After`), the breaker and the limiter, in this order and
//! in one step without waiting, right before it is sent. Whoever may not pass is told until when,
//! and decides whether to wait: pages do not, clicks do.

mod attempt;
pub mod backoff;
pub mod breaker;
mod gate;
pub mod limiter;
mod request;
pub mod retry_after;

pub use request::{Call, KeyPlacement, Route, Shape};

use crate::{
    clock,
    config::{Config, RetrySettings},
    metrics::Metrics,
    seams::Seams,
    secrets::Secrets,
};
use backoff::Jitter;
use breaker::{Breaker, Permit};
use gate::Gate;
use limiter::{Lane, Limiter};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// What the time limit of an attempt covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutKind {
    /// The whole attempt, to the last byte of the body.
    Total,
    /// Each silence: a trickle never runs into it.
    Silence,
    /// Nothing.
    None,
}

/// Why an attempt was not sent, and when to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// A `Retry-After` is in force.
    RetryAfter(Instant),
    /// The breaker is open, or its probes are out.
    CircuitOpen(Instant),
    /// The limiter is full.
    RateLimit(Instant),
}

impl Barrier {
    /// When to ask again.
    pub fn until(self) -> Instant {
        match self {
            Self::RetryAfter(at) | Self::CircuitOpen(at) | Self::RateLimit(at) => at,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing was sent.
    #[error("not sent: {0:?}")]
    Barred(Barrier),
    /// The time limit of the attempt passed.
    #[error("no complete answer in time")]
    Timeout,
    /// No connection, or one that broke before the end of the body.
    #[error("the connection failed")]
    Connection,
    /// A status that is neither 2xx nor 304.
    #[error("status {0}")]
    Status(u16),
    /// A 2xx whose body makes no sense.
    #[error("the answer makes no sense")]
    Malformed,
}

impl Failure {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Timeout | Self::Connection | Self::Status(429 | 500..))
    }

    /// Whether this speaks of a broken upstream: 5xx, timeout, connection.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Timeout | Self::Connection | Self::Status(500..))
    }
}

/// A complete 2xx or 304.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: reqwest::header::HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Linktree, as the rest of this service sees it.
pub struct Upstream {
    http: reqwest::Client,
    base: String,
    secrets: Secrets,
    gate: Gate,
    breaker: Breaker,
    limiter: Box<dyn Limiter>,
    jitter: Jitter,
    metrics: Arc<Metrics>,
    retry: RetrySettings,
    slot_patience: Duration,
    seams: Seams,
}

impl Upstream {
    /// A client with everything closed and nothing sent.
    pub fn new(
        http: reqwest::Client,
        config: &Config,
        secrets: Secrets,
        seams: &Seams,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            http,
            base: config.linktree_url.clone(),
            secrets,
            gate: Gate::default(),
            breaker: Breaker::new(&config.breaker, seams.breaker),
            limiter: (seams.limiter)(&config.rate),
            jitter: Jitter::new(config.seed),
            metrics,
            retry: config.retry.clone(),
            slot_patience: config.rate.patience,
            seams: seams.clone(),
        }
    }

    /// What an attempt on this route would meet now. Takes nothing.
    pub fn barrier(&self, route: Route) -> Option<Barrier> {
        let now = clock::now();
        self.closed(now).or_else(|| self.limiter.free_at(route, now).map(Barrier::RateLimit))
    }

    fn closed(&self, now: Instant) -> Option<Barrier> {
        let gate = self.gate.closed_until(now).map(Barrier::RetryAfter);
        gate.or_else(|| self.breaker.closed_until(now).map(Barrier::CircuitOpen))
    }

    fn enter(&self, route: Route, number: u32) -> Result<Permit<'_>, Barrier> {
        let now = clock::now();
        if let Some(until) = self.gate.closed_until(now) {
            return Err(Barrier::RetryAfter(until));
        }
        let permit = self.breaker.try_permit(now).map_err(Barrier::CircuitOpen)?;
        // A permit that is dropped here gives a probe's place back.
        if (self.seams.limits_attempt)(number) {
            self.limiter.try_take(route, now).map_err(Barrier::RateLimit)?;
        }
        Ok(permit)
    }

    /// Sends one attempt at once, or nothing. `number` counts the attempts of this call from 1.
    ///
    /// # Errors
    /// With a barrier when nothing was sent, else with what went wrong.
    pub async fn attempt(&self, call: &Call, number: u32) -> Result<Answer, Failure> {
        let permit = match self.enter(call.route, number) {
            Ok(permit) => permit,
            Err(barrier) => {
                self.metrics.upstream_barred(call.route, barrier);
                return Err(Failure::Barred(barrier));
            }
        };
        let started = clock::now();
        let outcome = self.exchange(call).await;
        self.metrics.upstream_answered(call.route, started.elapsed(), &outcome);
        match &outcome {
            Ok(_) => permit.success(clock::now()),
            Err(failure) if (self.seams.counts_as_failure)(failure) => permit.failure(clock::now()),
            Err(_) => drop(permit),
        }
        if let Err(failure) = &outcome {
            tracing::info!(route = call.route.label(), number, %failure, "attempt failed");
        }
        outcome
    }

    /// Reads, with retries. Ends early when the way is barred: the caller has a page to answer.
    ///
    /// # Errors
    /// With the last failure.
    pub async fn read(&self, call: &Call) -> Result<Answer, Failure> {
        let mut number = 1;
        loop {
            match self.attempt_soon(call, number).await {
                Err(failure) if failure.is_transient() && number < self.retry.read_attempts => {
                    self.pause(self.backoff(number)).await?;
                    number += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// An attempt that waits a little for a slot of the limiter, but for nothing else.
    async fn attempt_soon(&self, call: &Call, number: u32) -> Result<Answer, Failure> {
        let deadline = clock::now() + self.slot_patience;
        loop {
            match self.attempt(call, number).await {
                Err(Failure::Barred(Barrier::RateLimit(at))) if at <= deadline => {
                    tokio::time::sleep_until(at).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Sleeps, but no longer than the way to Linktree is open.
    async fn pause(&self, delay: Duration) -> Result<(), Failure> {
        const LOOK_EVERY: Duration = Duration::from_millis(20);
        let end = clock::now() + delay;
        loop {
            let now = clock::now();
            if let Some(barrier) = self.closed(now) {
                return Err(Failure::Barred(barrier));
            }
            if now >= end {
                return Ok(());
            }
            tokio::time::sleep_until(end.min(now + LOOK_EVERY)).await;
        }
    }

    /// The delay before retry number `retry`, from 1.
    pub fn backoff(&self, retry: u32) -> Duration {
        (self.seams.backoff)(&self.retry, retry, self.jitter.roll())
    }

    /// A pause after a read that failed for good: half to one base delay.
    pub fn cool_down(&self) -> Duration {
        self.retry.base.mul_f64(0.5 + self.jitter.roll() / 2.0)
    }

    /// Requests counted by the limiter in the current window, in one lane or in all.
    pub fn used(&self, lane: Option<Lane>) -> usize {
        self.limiter.used(lane, clock::now())
    }

    /// Where Linktree is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What the vault gave this service; for nobody's eyes.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// 0 closed, 1 half-open, 2 open.
    pub fn circuit_state(&self) -> u8 {
        self.breaker.gauge()
    }
}
