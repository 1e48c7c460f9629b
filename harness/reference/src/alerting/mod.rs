//! Tells on-call when Linktree or this service is in trouble: looks at itself every few seconds, and sends
//! what it finds to an Alertmanager.
//!
//! A rule fires when its condition has held for as long as it asks for, and goes on to be sent until it is
//! over, since an Alertmanager takes silence for the end. What could not be sent is sent at the next look.

mod policy;
mod receiver;
mod rule;
mod sight;

pub use policy::AlertPolicy;

use crate::{
    clicks::{ClickStore, LagPolicy},
    clock,
    config::AlertSettings,
    keys::Keys,
    metrics::Metrics,
    upstream::Upstream,
};
use receiver::Receiver;
use rule::Rule;
use sight::Sight;
use std::sync::Arc;
use tokio::{sync::watch, time::MissedTickBehavior};

/// Looks and tells, for as long as the service runs.
pub struct Alerting {
    settings: AlertSettings,
    policy: AlertPolicy,
    metrics: Arc<Metrics>,
    upstream: Arc<Upstream>,
    clicks: Arc<dyn ClickStore>,
    keys: Arc<Keys>,
    lag: LagPolicy,
    receiver: Receiver,
    rules: Vec<Rule>,
}

impl Alerting {
    /// Nothing is wrong yet. None where nobody is to be told.
    pub fn new(
        http: reqwest::Client,
        settings: &AlertSettings,
        policy: AlertPolicy,
        metrics: Arc<Metrics>,
        upstream: Arc<Upstream>,
        (clicks, lag): (Arc<dyn ClickStore>, LagPolicy),
        keys: Arc<Keys>,
    ) -> Option<Self> {
        let receiver = Receiver::new(http, settings.url.as_deref()?, settings.resend);
        let rules = rule::all(settings, &policy);
        let settings = settings.clone();
        Some(Self { settings, policy, metrics, upstream, clicks, keys, lag, receiver, rules })
    }

    /// Works until `stop` turns true.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(self.settings.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !*stop.borrow_and_update() {
            tokio::select! {
                _ = ticks.tick() => self.look().await,
                _ = stop.changed() => {}
            }
        }
    }

    async fn look(&mut self) {
        let sight = self.sight().await;
        let now = clock::now();
        for rule in &mut self.rules {
            rule.look(&sight, &self.settings, &self.policy, now);
        }
        let due: Vec<usize> = (0..self.rules.len())
            .filter(|rule| self.rules[*rule].is_due(now, self.settings.resend))
            .collect();
        if due.is_empty() {
            return;
        }
        let rules: Vec<&Rule> = due.iter().map(|rule| &self.rules[*rule]).collect();
        match self.receiver.send(&rules).await {
            Ok(()) => due.into_iter().for_each(|rule| self.rules[rule].sent(now)),
            Err(error) => tracing::warn!(%error, "alerts wait for their receiver"),
        }
    }

    async fn sight(&self) -> Sight {
        let recent = self.metrics.recent();
        let backlog = self.clicks.backlog().await.unwrap_or_default();
        Sight {
            calls: recent.within((self.policy.error_window)(self.settings.error_window)),
            views: recent.views_within(self.settings.error_window),
            timed: recent.within(self.settings.latency_window),
            used: (self.policy.used)(&self.upstream, recent, self.settings.limit_window),
            waiting: (self.lag.of)(backlog, recent),
            key_age: self.keys.age(),
        }
    }
}
