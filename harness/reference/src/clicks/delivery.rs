//! Delivers waiting clicks in order, for as long as it takes, with the same ids on every attempt.
//!
//! A click leaves the queue after a definite 2xx (whole body read) or a definite refusal. Anything
//! else leaves it where it is: the event id makes a repetition harmless.

use super::{Click, ClickStore, Fate, StoreError, wire};
use crate::{
    clock,
    config::{ClickSettings, RateSettings},
    linktree::{Failure, Lane},
    metrics::Metrics,
    upstream::{Upstream, backoff::Backoff},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

/// How clicks are delivered.
#[derive(Clone, Copy)]
pub struct DeliveryPolicy {
    /// Events in one request; `None`: as configured.
    pub batch: Option<usize>,
    /// The idempotency key of an event, for the number of the attempt from 1.
    pub idempotency_key: fn(&str, u32) -> String,
    /// Whether a status says of a single click that it will never be taken.
    pub refuses: fn(u16) -> bool,
    /// Whether a status says of a batch that it is not well made: it goes again in halves.
    pub halves: fn(u16) -> bool,
    /// Whether the answer to a batch is read, item by item.
    pub reads_items: bool,
    /// Whether a failed request's clicks are thrown away; never, in a sane service.
    pub abandons: fn(&Failure, Tries) -> bool,
    /// How deliveries that failed are spaced; `None`: like all calls.
    pub backoff: Option<Backoff>,
    /// Successes after which a click leaves the queue.
    pub successes_needed: u32,
    /// An extra pause after each request, as a multiple of the coalescing delay.
    pub extra_pause: u32,
}

impl Default for DeliveryPolicy {
    fn default() -> Self {
        Self {
            batch: None,
            idempotency_key: |event_id, _| event_id.to_owned(),
            refuses: Failure::refuses_item,
            halves: Failure::refuses_batch,
            reads_items: true,
            abandons: |_, _| false,
            backoff: None,
            successes_needed: 1,
            extra_pause: 0,
        }
    }
}

impl DeliveryPolicy {
    /// The delay before retry number `retry`, from 1.
    fn delay(&self, upstream: &Upstream, retry: u32) -> Duration {
        match self.backoff {
            Some(own) => upstream.backoff_by(own, retry),
            None => upstream.backoff(retry),
        }
    }
}

/// How often and how long a click was tried.
#[derive(Clone, Copy, Debug)]
pub struct Tries {
    /// Attempts, the last one included.
    pub attempts: u32,
    /// How many coalescing delays ago the first one ended.
    pub delays: u32,
}

/// What is remembered of a click between its attempts.
#[derive(Clone, Copy, Debug)]
struct Progress {
    attempts: u32,
    successes: u32,
    first: Instant,
    not_before: Instant,
}

impl Progress {
    fn tries(&self, delay: Duration) -> Tries {
        let delays = self.first.elapsed().as_nanos() / delay.as_nanos().max(1);
        Tries { attempts: self.attempts, delays: u32::try_from(delays).unwrap_or(u32::MAX) }
    }
}

/// The delivery worker.
pub struct Delivery {
    store: Arc<dyn ClickStore>,
    upstream: Arc<Upstream>,
    metrics: Arc<Metrics>,
    arrived: Arc<Notify>,
    policy: DeliveryPolicy,
    batch: usize,
    coalesce: Duration,
    calm_pace: Duration,
    reserve: usize,
    progress: HashMap<String, Progress>,
    /// Events that now go in one request: fewer after a batch was refused whole, since one bad event
    /// must not take the others with it.
    most: usize,
    failures: u32,
}

impl Delivery {
    /// A worker that takes from `store`, and wakes when something `arrived`.
    pub fn new(
        store: Arc<dyn ClickStore>,
        upstream: Arc<Upstream>,
        metrics: Arc<Metrics>,
        arrived: Arc<Notify>,
        settings: (&ClickSettings, &RateSettings),
        policy: DeliveryPolicy,
    ) -> Self {
        let (clicks, rate) = settings;
        let batch = policy.batch.unwrap_or(clicks.batch);
        Self {
            store,
            upstream,
            metrics,
            arrived,
            policy,
            batch,
            coalesce: clicks.coalesce,
            calm_pace: rate.window / rate.reserved_for_clicks.max(1) as u32,
            reserve: rate.reserved_for_clicks,
            progress: HashMap::new(),
            most: batch,
            failures: 0,
        }
    }

    /// Works until `stop` turns true; a request on its way is finished first.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow_and_update() {
            let rest = match self.step().await {
                Ok(rest) => rest,
                Err(error) => {
                    tracing::error!(%error, "deliveries pause");
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = sleep(rest) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Delivers once; returns how long to rest.
    async fn step(&mut self) -> Result<Duration, StoreError> {
        let now = clock::now();
        let deferred = self.progress.values().filter(|known| known.not_before > now).count();
        let mut clicks = self.store.pending(self.batch + deferred).await?;
        let none_at_all = clicks.is_empty();
        clicks
            .retain(|click| self.progress.get(&click.event_id).is_none_or(|p| p.not_before <= now));
        clicks.truncate(self.most);
        if clicks.is_empty() {
            // Woken by an arrival, or by time for those that were deferred.
            let idle = if none_at_all { Duration::from_secs(1) } else { Duration::from_millis(20) };
            let arrival = timeout(idle, self.arrived.notified()).await.is_ok();
            return Ok(if arrival { self.pace() } else { Duration::ZERO });
        }
        self.deliver(&clicks).await
    }

    async fn deliver(&mut self, clicks: &[Click]) -> Result<Duration, StoreError> {
        let refs: Vec<&Click> = clicks.iter().collect();
        let key = match clicks {
            [one] => {
                let attempt = self.progress.get(&one.event_id).map_or(0, |known| known.attempts);
                Some((self.policy.idempotency_key)(&one.event_id, attempt + 1))
            }
            _ => None,
        };
        let call = wire::call(&refs, key);
        let result = self.upstream.attempt_unbarred(&call, self.failures + 1).await;
        if let Err(Failure::Barred(barrier)) = result {
            // Short rests, since the way may open or close earlier than it looks now.
            return Ok(barrier
                .rest(clock::now())
                .clamp(Duration::from_millis(5), Duration::from_millis(100)));
        }
        let statuses: Vec<Option<u16>> = match &result {
            Ok(answer) if clicks.len() == 1 || !self.policy.reads_items => {
                vec![Some(answer.status); clicks.len()]
            }
            Ok(answer) => {
                let known = wire::statuses(answer);
                clicks.iter().map(|click| known.get(&click.event_id).copied()).collect()
            }
            Err(Failure::Status(status)) if clicks.len() == 1 => vec![Some(*status)],
            Err(_) => vec![None; clicks.len()],
        };
        let halved = matches!(&result, Err(Failure::Status(status))
            if clicks.len() > 1 && (self.policy.halves)(*status));
        self.most = match &result {
            _ if halved => clicks.len().div_ceil(2),
            Ok(_) => (self.most * 2).min(self.batch),
            Err(_) => self.most,
        };
        let mut fates = Vec::new();
        for (click, status) in clicks.iter().zip(statuses) {
            fates.extend(
                self.fate_of(click, status, &result).map(|fate| (click.event_id.clone(), fate)),
            );
        }
        // What was decided for good is behind us, even if it is not what we hoped for.
        let went_on = result.is_ok() || halved || fates.len() == clicks.len();
        self.store.settle(fates).await?;
        Ok(self.rest_after(clicks.len(), went_on))
    }

    /// What becomes of a click after an attempt; `None`: it waits for the next one.
    fn fate_of<T>(
        &mut self,
        click: &Click,
        status: Option<u16>,
        result: &Result<T, Failure>,
    ) -> Option<Fate> {
        let now = clock::now();
        let fresh = Progress { attempts: 0, successes: 0, first: now, not_before: now };
        let known = self.progress.entry(click.event_id.clone()).or_insert(fresh);
        known.attempts += 1;
        let fate = match (status, result) {
            (Some(200..=299), _) => {
                known.successes += 1;
                (known.successes >= self.policy.successes_needed).then_some(Fate::Delivered)
            }
            (_, Err(failure)) if (self.policy.abandons)(failure, known.tries(self.coalesce)) => {
                Some(Fate::Delivered)
            }
            (Some(status), _) if (self.policy.refuses)(status) => {
                // Its id is a visitor's own words; it is kept in the queue with its status.
                tracing::warn!(status, "linktree refused a click");
                self.metrics.click_refused();
                Some(Fate::Refused(status))
            }
            // The request as a whole succeeded, but not for this click: it alone backs off.
            (_, Ok(_)) => {
                known.not_before = now + self.policy.delay(&self.upstream, known.attempts);
                None
            }
            // It cannot be told what is wrong with this one; the others shall not wait for it.
            (Some(status), Err(_)) if (self.policy.halves)(status) => {
                known.not_before = now + self.policy.delay(&self.upstream, known.attempts);
                None
            }
            (_, Err(_)) => None,
        };
        if fate.is_some() {
            self.progress.remove(&click.event_id);
        }
        fate
    }

    fn rest_after(&mut self, sent: usize, succeeded: bool) -> Duration {
        let extra = self.coalesce * self.policy.extra_pause;
        if !succeeded {
            self.failures += 1;
            return self.policy.delay(&self.upstream, self.failures) + extra;
        }
        self.failures = 0;
        // A full batch means a backlog, which is not made shorter by waiting for company.
        if sent >= self.batch { extra } else { self.pace() + extra }
    }

    /// How long to wait for company: longer once half of the slots reserved for clicks are used,
    /// so that a steady flow of clicks leaves the pages their share.
    fn pace(&self) -> Duration {
        let busy = self.upstream.used(Some(Lane::Clicks)) * 2 > self.reserve;
        if busy { self.calm_pace.max(self.coalesce) } else { self.coalesce }
    }
}
