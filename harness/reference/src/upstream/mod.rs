//! The client of Linktree: admission, one attempt, and retries.
//!
//! Every attempt passes the gate (`Retry-After`), the breaker and the limiter, in this order and
//! in one step without waiting, right before it is sent. Whoever may not pass learns until when,
//! and decides whether to wait: pages do not, clicks do.

mod attempt;
pub mod backoff;
pub mod breaker;
mod gate;
mod journal;
pub mod limiter;
mod policy;
mod reserve;
pub mod retry_after;

pub use policy::{KeyPlacement, TimeoutKind, UpstreamPolicy};

use crate::{
    clock,
    config::{Config, RetrySettings},
    keys::Keys,
    linktree::{Answer, Barrier, Call, Failure, Lane, Route},
    logs::LogPolicy,
    metrics::Metrics,
    secrets::Secrets,
};
use backoff::{Backoff, Jitter};
use breaker::{Breaker, Permit};
use gate::Gate;
use limiter::Limiter;
use reserve::Reserve;
use std::{io, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Linktree, as the rest of this service sees it.
pub struct Upstream {
    http: reqwest::Client,
    base: String,
    keys: Arc<Keys>,
    gate: Gate,
    breaker: Breaker,
    analytics_breaker: Breaker,
    limiter: Box<dyn Limiter>,
    reserve: Reserve,
    jitter: Jitter,
    metrics: Arc<Metrics>,
    retry: RetrySettings,
    analytics_limit: Duration,
    slot_patience: Duration,
    policy: UpstreamPolicy,
    log: LogPolicy,
}

impl Upstream {
    /// A client with everything closed, and with the requests that the last process sent.
    ///
    /// # Errors
    /// When the file of these requests cannot be used.
    pub fn new(
        http: reqwest::Client,
        config: &Config,
        keys: Arc<Keys>,
        policy: UpstreamPolicy,
        metrics: Arc<Metrics>,
        log: LogPolicy,
    ) -> io::Result<Self> {
        Ok(Self {
            http,
            base: config.linktree_url.clone(),
            keys,
            gate: Gate::default(),
            breaker: Breaker::new(&config.breaker, policy.breaker),
            analytics_breaker: Breaker::new(&config.breaker, policy.breaker),
            limiter: (policy.limiter)(&config.rate, &config.data_dir)?,
            reserve: Reserve::default(),
            jitter: Jitter::new(config.seed),
            metrics,
            retry: config.retry.clone(),
            analytics_limit: config.analytics.limit,
            slot_patience: config.rate.patience,
            policy,
            log,
        })
    }

    /// What an attempt on this route would meet now. Takes nothing.
    pub fn barrier(&self, route: Route) -> Option<Barrier> {
        let now = clock::now();
        self.closed(route, now).or_else(|| self.limiter.free_at(route, now).map(Barrier::RateLimit))
    }

    fn closed(&self, route: Route, now: Instant) -> Option<Barrier> {
        let gate = self.gate.closed_until(now).map(Barrier::RetryAfter);
        gate.or_else(|| self.circuit_open(route, now).map(Barrier::CircuitOpen))
    }

    /// The breaker that counts what attempts on this route come to. Figures are slow by design: how long
    /// they take says nothing of the rest, and a few creators who wait must not make every page stale.
    fn breaker_of(&self, route: Route) -> &Breaker {
        if route == Route::Analytics { &self.analytics_breaker } else { &self.breaker }
    }

    /// When to ask again, if a breaker is in the way. Nobody asks a Linktree that is down for figures,
    /// nor takes the place of a probe with it.
    fn circuit_open(&self, route: Route, now: Instant) -> Option<Instant> {
        let down = || self.breaker.busy_until(now).filter(|_| route == Route::Analytics);
        self.breaker_of(route).closed_until(now).or_else(down)
    }

    fn enter(&self, route: Route, number: u32) -> Result<Permit<'_>, Barrier> {
        let now = clock::now();
        if let Some(until) = self.gate.closed_until(now) {
            return Err(Barrier::RetryAfter(until));
        }
        if let Some(until) = self.breaker.busy_until(now).filter(|_| route == Route::Analytics) {
            return Err(Barrier::CircuitOpen(until));
        }
        let permit = self.breaker_of(route).try_permit(now).map_err(Barrier::CircuitOpen)?;
        // A permit that is dropped here gives a probe's place back.
        if (self.policy.limits_attempt)(number, self.gate.open_for(now)) {
            self.limiter.try_take(route, now).map_err(Barrier::RateLimit)?;
        }
        Ok(permit)
    }

    /// Sends one attempt at once, or nothing. `number` counts the attempts of this call from 1. Where the
    /// key was refused and the vault has another, it is sent once more with that one.
    ///
    /// # Errors
    /// With a barrier when nothing was sent, else with what went wrong.
    pub async fn attempt(&self, call: &Call, number: u32) -> Result<Answer, Failure> {
        let secrets = self.keys.serving(call.route);
        let result = self.attempt_with(call, number, &secrets).await;
        if matches!(result, Err(Failure::Status(401))) && self.keys.renewed_after(&secrets).await {
            return self.attempt_with(call, number, &self.keys.serving(call.route)).await;
        }
        result
    }

    /// The same where nothing bars the way. It is looked at first, so that waiting does not count as calls
    /// that were turned away.
    ///
    /// # Errors
    /// As [`Self::attempt`].
    pub async fn attempt_unbarred(&self, call: &Call, number: u32) -> Result<Answer, Failure> {
        match self.barrier(call.route) {
            Some(barrier) => Err(Failure::Barred(barrier)),
            None => self.attempt(call, number).await,
        }
    }

    async fn attempt_with(
        &self,
        call: &Call,
        number: u32,
        secrets: &Secrets,
    ) -> Result<Answer, Failure> {
        let breaker = self.breaker_of(call.route);
        let checked = breaker.check_ahead().await.map_err(Barrier::CircuitOpen);
        let permit = match checked.and_then(|()| self.enter(call.route, number)) {
            Ok(permit) => permit,
            Err(barrier) => {
                self.metrics.upstream_barred(call.route, barrier);
                return Err(Failure::Barred(barrier));
            }
        };
        let started = clock::now();
        let result = self.exchange(call, secrets).await;
        self.metrics.upstream_answered(call.route, started.elapsed(), &result);
        match &result {
            Ok(_) => permit.success(clock::now()),
            Err(failure) if permit.is_probe && (self.policy.closes_after_probe)(failure) => {
                permit.success(clock::now());
            }
            Err(failure) if (self.policy.counts_as_failure)(failure) => {
                permit.failure(clock::now())
            }
            Err(_) => drop(permit),
        }
        if let Err(failure) = &result {
            tracing::info!(route = call.route.label(), number, %failure, "attempt failed");
        }
        result
    }

    /// Reads, with retries. Ends early when the way is barred, or no time is left for another attempt:
    /// the caller has somebody to answer.
    ///
    /// # Errors
    /// With the last failure.
    pub async fn read(&self, call: &Call) -> Result<Answer, Failure> {
        let mut number = 1;
        loop {
            match self.attempt_soon(call, number).await {
                Err(failure) if failure.is_transient() && number < self.retry.read_attempts => {
                    let pause = self.backoff(number);
                    if call.deadline.is_some_and(|deadline| clock::now() + pause >= deadline) {
                        return Err(failure);
                    }
                    self.pause(call.route, pause).await?;
                    number += 1;
                }
                result => return result,
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
                result => return result,
            }
        }
    }

    /// Sleeps, but no longer than the way to Linktree is open.
    async fn pause(&self, route: Route, delay: Duration) -> Result<(), Failure> {
        const LOOK_EVERY: Duration = Duration::from_millis(20);
        let end = clock::now() + delay;
        loop {
            let now = clock::now();
            if let Some(barrier) = self.closed(route, now) {
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
        self.backoff_by(self.policy.backoff, retry)
    }

    /// The same for a caller with a policy of its own.
    pub fn backoff_by(&self, backoff: Backoff, retry: u32) -> Duration {
        backoff(&self.retry, retry, self.jitter.roll())
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
    pub fn secrets(&self) -> Arc<Secrets> {
        self.keys.in_force()
    }

    /// How often the breaker has closed again.
    pub fn recoveries(&self) -> u64 {
        self.breaker.recoveries()
    }

    /// 0 closed, 1 half-open, 2 open.
    pub fn circuit_state(&self) -> u8 {
        self.breaker.gauge()
    }
}
