//! Counts what happens, in the text format of Prometheus and under the names of the contract.

use crate::{
    linktree::{Answer, Barrier, Failure, Route},
    recent::Recent,
    source::Source,
};
use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Upper bounds of the latency histogram, in seconds.
const BUCKETS: [f64; 13] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0];

#[derive(Default)]
struct Histogram {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

/// What is counted as what.
#[derive(Clone, Copy)]
pub struct MetricsPolicy {
    /// The word for how an attempt ended.
    pub outcome: fn(&Result<Answer, Failure>) -> &'static str,
    /// How much of an attempt's time the histogram takes, if any: all of it, however it ended.
    pub timed: fn(Duration, &Result<Answer, Failure>) -> Option<Duration>,
    /// A duration as the histogram takes it: in seconds.
    pub observed: fn(Duration) -> f64,
    /// Whether a page from the cache, for which nothing was asked, is observed as an attempt.
    pub observes_hits: bool,
    /// The word for where a page came from.
    pub page: fn(&Source) -> &'static str,
    /// Whether it is remembered for alerts when pages were served: calls alone concern them.
    pub remembers_views: bool,
}

impl Default for MetricsPolicy {
    fn default() -> Self {
        Self {
            outcome,
            timed: |took, _| Some(took),
            observed: |took| took.as_secs_f64(),
            observes_hits: false,
            page: Source::label,
            remembers_views: false,
        }
    }
}

/// The contract's word for how an attempt ended.
pub fn outcome(end: &Result<Answer, Failure>) -> &'static str {
    match end {
        Ok(_) => "ok",
        Err(Failure::Timeout) => "timeout",
        Err(Failure::Status(429)) => "http_429",
        Err(Failure::Status(401 | 403)) => "auth",
        Err(Failure::Status(500..)) => "http_5xx",
        Err(Failure::Status(_)) => "http_4xx",
        Err(_) => "connect",
    }
}

/// All counters.
#[derive(Default)]
pub struct Metrics {
    policy: MetricsPolicy,
    upstream: Mutex<BTreeMap<(Route, &'static str), u64>>,
    durations: Mutex<BTreeMap<Route, Histogram>>,
    pages: Mutex<BTreeMap<&'static str, u64>>,
    clicks_refused: AtomicU64,
    webhooks: Mutex<BTreeMap<&'static str, u64>>,
    recent: Recent,
}

/// What is not counted but asked for at the time of a scrape.
pub struct Gauges {
    /// Requests in the limiter's window.
    pub rate_limit_used: usize,
    /// 0 closed, 1 half-open, 2 open.
    pub circuit_state: u8,
    /// Clicks waiting.
    pub queue_depth: u64,
    /// How long the oldest of them has been waiting.
    pub delivery_lag: Duration,
    /// How old the key in use is, once that is known.
    pub key_age: Option<Duration>,
}

impl Metrics {
    /// Everything at zero; how calls ended is remembered for so long.
    pub fn new(policy: MetricsPolicy, span: Duration) -> Self {
        Self { policy, recent: Recent::new(span), ..Self::default() }
    }

    /// What is remembered of the last minutes.
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    /// An attempt ended.
    pub fn upstream_answered(&self, route: Route, took: Duration, end: &Result<Answer, Failure>) {
        let outcome = (self.policy.outcome)(end);
        self.count_upstream(route, outcome);
        self.recent.ended(route, outcome, took);
        if let Some(took) = (self.policy.timed)(took, end) {
            self.observe(route, took);
        }
    }

    fn observe(&self, route: Route, took: Duration) {
        let mut durations = self.durations.lock().unwrap();
        let histogram = durations.entry(route).or_default();
        let seconds = (self.policy.observed)(took);
        for (count, bound) in histogram.buckets.iter_mut().zip(BUCKETS) {
            *count += u64::from(seconds <= bound);
        }
        histogram.count += 1;
        histogram.sum += seconds;
    }

    /// An attempt was not sent.
    pub fn upstream_barred(&self, route: Route, barrier: Barrier) {
        let outcome = match barrier {
            Barrier::CircuitOpen(_) => "circuit_open",
            Barrier::RetryAfter(_) | Barrier::RateLimit(_) => "rate_limited_locally",
        };
        self.count_upstream(route, outcome);
    }

    /// A visitor got a page, and waited so long for it.
    pub fn page_served(&self, source: &Source, took: Duration) {
        self.count_page((self.policy.page)(source));
        if self.policy.remembers_views {
            self.recent.viewed();
        }
        if self.policy.observes_hits && matches!(source, Source::Hit | Source::HitStale(_)) {
            self.observe(Route::Profile, took);
        }
    }

    /// A visitor got no page: there was none, and none could be filled.
    pub fn page_missed(&self) {
        self.count_page("miss");
    }

    fn count_page(&self, result: &'static str) {
        *self.pages.lock().unwrap().entry(result).or_default() += 1;
    }

    /// Linktree refused a click for good.
    pub fn click_refused(&self) {
        self.clicks_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A webhook came, and this became of it.
    pub fn webhook_came(&self, result: &'static str) {
        *self.webhooks.lock().unwrap().entry(result).or_default() += 1;
    }

    fn count_upstream(&self, route: Route, outcome: &'static str) {
        *self.upstream.lock().unwrap().entry((route, outcome)).or_default() += 1;
    }

    /// The whole exposition.
    pub fn render(&self, gauges: &Gauges) -> String {
        let mut out = String::new();
        self.write(&mut out, gauges).expect("a string takes everything");
        out
    }

    fn write(&self, out: &mut String, gauges: &Gauges) -> std::fmt::Result {
        let name = "linktree_upstream_requests_total";
        writeln!(out, "# TYPE {name} counter")?;
        for ((route, outcome), count) in self.upstream.lock().unwrap().iter() {
            let route = route.label();
            writeln!(out, "{name}{{route=\"{route}\",outcome=\"{outcome}\"}} {count}")?;
        }
        let name = "linktree_upstream_request_duration_seconds";
        writeln!(out, "# TYPE {name} histogram")?;
        for (route, histogram) in self.durations.lock().unwrap().iter() {
            let (route, total) = (route.label(), histogram.count);
            for (bound, count) in BUCKETS.iter().zip(histogram.buckets) {
                writeln!(out, "{name}_bucket{{route=\"{route}\",le=\"{bound}\"}} {count}")?;
            }
            writeln!(out, "{name}_bucket{{route=\"{route}\",le=\"+Inf\"}} {total}")?;
            writeln!(out, "{name}_sum{{route=\"{route}\"}} {}", histogram.sum)?;
            writeln!(out, "{name}_count{{route=\"{route}\"}} {total}")?;
        }
        let name = "linktree_profile_cache_requests_total";
        writeln!(out, "# TYPE {name} counter")?;
        for (result, count) in self.pages.lock().unwrap().iter() {
            writeln!(out, "{name}{{result=\"{result}\"}} {count}")?;
        }
        let name = "linktree_webhook_deliveries_total";
        writeln!(out, "# TYPE {name} counter")?;
        for (result, count) in self.webhooks.lock().unwrap().iter() {
            writeln!(out, "{name}{{result=\"{result}\"}} {count}")?;
        }
        let refused = self.clicks_refused.load(Ordering::Relaxed);
        writeln!(out, "# TYPE linktree_clicks_refused_total counter")?;
        writeln!(out, "linktree_clicks_refused_total {refused}")?;
        let mut gauge =
            |name: &str, value: f64| writeln!(out, "# TYPE {name} gauge\n{name} {value}");
        gauge("linktree_rate_limit_used", gauges.rate_limit_used as f64)?;
        gauge("linktree_circuit_state", f64::from(gauges.circuit_state))?;
        gauge("linktree_click_queue_depth", gauges.queue_depth as f64)?;
        if let Some(age) = gauges.key_age {
            gauge("linktree_api_key_age_seconds", age.as_secs_f64())?;
        }
        gauge("linktree_click_delivery_lag_seconds", gauges.delivery_lag.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative() {
        let metrics = Metrics::default();
        for ms in [1, 40, 20_000] {
            let end = Err(Failure::Timeout);
            metrics.upstream_answered(Route::Links, Duration::from_millis(ms), &end);
        }
        let text = metrics.render(&Gauges {
            rate_limit_used: 3,
            circuit_state: 2,
            queue_depth: 0,
            delivery_lag: Duration::from_millis(1500),
            key_age: Some(Duration::from_secs(86_400)),
        });
        for line in [
            "linktree_upstream_requests_total{route=\"links\",outcome=\"timeout\"} 3",
            "linktree_upstream_request_duration_seconds_bucket{route=\"links\",le=\"0.05\"} 2",
            "linktree_upstream_request_duration_seconds_bucket{route=\"links\",le=\"+Inf\"} 3",
            "linktree_circuit_state 2",
            "linktree_click_delivery_lag_seconds 1.5",
            "linktree_api_key_age_seconds 86400",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
        }
    }
}
