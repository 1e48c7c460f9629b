//! The integration's metrics: whichever channel they come by, the same figures are picked by selectors.
//!
//! A channel is a file: [`prometheus`] is scraped; [`dogstatsd`], [`otlp`] and [`cloudwatch`] are pushed and
//! make [`Point`](point::Point)s, which [`Series`] adds up. Both are a [`Reading`].

mod buckets;
mod channel;
#[cfg(test)]
mod channels_tests;
pub mod cloudwatch;
pub mod dogstatsd;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
#[cfg(test)]
mod fuzz_tests;
mod names;
pub mod otlp;
mod point;
mod prometheus;
mod reading;
mod selector;
mod series;

pub use channel::Channel;
pub use names::{LatencyUnit, MetricNames};
pub use prometheus::Exposition;
pub use reading::{Read, Reading};
pub use selector::{Selector, SelectorError};
pub use series::Series;

use point::Unit;
use scenarios::observed::{Figures, Histogram};
use std::collections::{BTreeMap, BTreeSet};

/// What the configuration names, ready to be picked out of what is scraped or was pushed.
pub struct Picks {
    timeouts: Option<Selector>,
    auth_errors: Option<Selector>,
    cache_hits: Option<Selector>,
    cache_misses: Option<Selector>,
    cache_stale: Option<Selector>,
    latency: Option<Selector>,
    key_age: Option<Selector>,
    click_lag: Option<Selector>,
    rate_used: Option<Selector>,
    unit: Unit,
}

impl Picks {
    /// The picks of a checked configuration; an empty name picks nothing.
    #[must_use]
    pub fn of(names: &MetricNames) -> Self {
        let pick = |text: &String| names.channel.selector(text).ok();
        Self {
            timeouts: pick(&names.timeouts),
            auth_errors: pick(&names.auth_errors),
            cache_hits: pick(&names.cache_hits),
            cache_misses: pick(&names.cache_misses),
            cache_stale: pick(&names.cache_stale),
            latency: pick(&names.latency),
            key_age: pick(&names.key_age),
            click_lag: pick(&names.click_lag),
            rate_used: pick(&names.rate_used),
            unit: match names.latency_unit {
                LatencyUnit::Seconds => Unit::Seconds,
                LatencyUnit::Milliseconds => Unit::Milliseconds,
            },
        }
    }

    /// The names of the metrics that are picked.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        let Self { timeouts, auth_errors, cache_hits, cache_misses, cache_stale, .. } = self;
        let Self { latency, key_age, click_lag, rate_used, .. } = self;
        let counters = [timeouts, auth_errors, cache_hits, cache_misses, cache_stale];
        let all = counters.into_iter().chain([latency, key_age, click_lag, rate_used]);
        all.flatten().map(|selector| selector.name.clone()).collect()
    }

    /// The figures of one moment.
    #[must_use]
    pub fn figures(&self, all: &impl Reading) -> Figures {
        let mut unread = BTreeMap::new();
        let mut number =
            |key: &str, read: Option<Read<f64>>| told(key, read?.and_then(is_number), &mut unread);
        let counted = |selector: &Option<Selector>| Some(all.counted(selector.as_ref()?));
        let greatest = |selector: &Option<Selector>| Some(all.greatest(selector.as_ref()?));
        let mut figures = Figures {
            timeouts: number("timeouts", counted(&self.timeouts)),
            auth_errors: number("auth_errors", counted(&self.auth_errors)),
            cache_hits: number("cache_hits", counted(&self.cache_hits)),
            cache_misses: number("cache_misses", counted(&self.cache_misses)),
            cache_stale: number("cache_stale", counted(&self.cache_stale)),
            key_age: number("key_age", greatest(&self.key_age)),
            click_lag: number("click_lag", greatest(&self.click_lag)),
            rate_used: number("rate_used", self.rate_used.as_ref().map(|used| all.now(used))),
            ..Figures::default()
        };
        let mut histogram = |key: &str, selector: &Option<Selector>, unsaid: Unit| {
            let read = all.histogram(selector.as_ref()?, unsaid).and_then(are_numbers);
            told(key, read, &mut unread)
        };
        figures.latency = histogram("latency", &self.latency, self.unit);
        figures.click_lags = histogram("click_lag", &self.click_lag, Unit::Seconds);
        figures.unread = unread;
        figures
    }
}

/// What is told; and why what is there is not.
fn told<T>(key: &str, read: Read<T>, unread: &mut BTreeMap<String, String>) -> Option<T> {
    read.unwrap_or_else(|why| {
        unread.insert(key.to_owned(), why);
        None
    })
}

/// Whoever counts to infinity has counted nothing, and no history could hold it.
fn is_number(value: Option<f64>) -> Read<f64> {
    match value {
        Some(value) if !value.is_finite() => Err(format!("{value} is no count")),
        value => Ok(value),
    }
}

fn are_numbers(histogram: Option<Histogram>) -> Read<Histogram> {
    let numbers = |all: &Histogram| {
        let buckets = all.buckets.iter().flat_map(|(bound, up_to)| [*bound, *up_to]);
        buckets.chain([all.count]).all(f64::is_finite)
    };
    match histogram {
        Some(all) if !numbers(&all) => Err("its buckets hold what is no number".to_owned()),
        histogram => Ok(histogram),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_own_names_are_picked() {
        let text = "\
            # TYPE linktree_upstream_requests_total counter\n\
            linktree_upstream_requests_total{route=\"profile\",outcome=\"timeout\"} 3\n\
            linktree_upstream_requests_total{route=\"links\",outcome=\"timeout\"} 2\n\
            linktree_profile_cache_requests_total{result=\"hit\"} 40\n\
            linktree_api_key_age_seconds{worker=\"1\"} 86400\n\
            linktree_api_key_age_seconds{worker=\"2\"} 86401.5\n\
            linktree_api_key_age_seconds{worker=\"3\"} NaN\n\
            linktree_upstream_request_duration_seconds_bucket{le=\"0.5\"} 4\n\
            linktree_upstream_request_duration_seconds_bucket{le=\"+Inf\"} 5\n\
            linktree_upstream_request_duration_seconds_count 5\n\
            linktree_click_delivery_lag_seconds{worker=\"1\"} 2\n\
            linktree_click_delivery_lag_seconds{worker=\"2\"} 3.5\n";
        let figures = Picks::of(&MetricNames::default()).figures(&Exposition::parse(text));
        assert_eq!((figures.timeouts, figures.auth_errors), (Some(5.0), Some(0.0)));
        assert_eq!(figures.key_age, Some(86_401.5));
        assert_eq!((figures.cache_hits, figures.cache_misses), (Some(40.0), Some(0.0)));
        assert_eq!((figures.click_lag, figures.click_lags), (Some(3.5), None));
        let latency = figures.latency.unwrap();
        assert_eq!((latency.buckets, latency.count), (vec![(0.5, 4.0)], 5.0));
    }

    #[test]
    fn milliseconds_become_seconds_and_what_is_not_named_is_not_picked() {
        let names = MetricNames {
            latency: "upstream_ms".into(),
            latency_unit: LatencyUnit::Milliseconds,
            timeouts: String::new(),
            ..MetricNames::default()
        };
        let text = "upstream_ms_bucket{le=\"250\"} 1\nupstream_ms_bucket{le=\"+Inf\"} 1\n";
        let figures = Picks::of(&names).figures(&Exposition::parse(text));
        assert_eq!(figures.latency.unwrap().buckets, [(0.25, 1.0)]);
        assert_eq!(figures.timeouts, None);
    }
}
