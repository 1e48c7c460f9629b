//! The integration's metrics: read from the text format of Prometheus, picked by selectors.

mod exposition;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
#[cfg(test)]
mod fuzz_tests;
mod names;
mod selector;

pub use exposition::Exposition;
pub use names::{LatencyUnit, MetricNames};
pub use selector::{Selector, SelectorError};

use scenarios::observed::{Figures, Histogram};

/// What the configuration names, ready to be picked out of a scrape.
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
    unit: LatencyUnit,
}

impl Picks {
    /// The picks of a checked configuration; an empty name picks nothing.
    #[must_use]
    pub fn of(names: &MetricNames) -> Self {
        let pick = |text: &str| text.parse().ok();
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
            unit: names.latency_unit,
        }
    }

    /// The figures of one scrape.
    #[must_use]
    pub fn figures(&self, text: &str) -> Figures {
        let exposition = Exposition::parse(text);
        let sum = |selector: &Option<Selector>| exposition.sum(selector.as_ref()?);
        Figures {
            timeouts: sum(&self.timeouts),
            auth_errors: sum(&self.auth_errors),
            cache_hits: sum(&self.cache_hits),
            cache_misses: sum(&self.cache_misses),
            cache_stale: sum(&self.cache_stale),
            key_age: self.key_age.as_ref().and_then(|age| exposition.greatest(age)),
            latency: self
                .latency
                .as_ref()
                .and_then(|latency| self.in_seconds(&exposition, latency)),
            click_lag: self.click_lag.as_ref().and_then(|lag| exposition.greatest(lag)),
            click_lags: self.click_lag.as_ref().and_then(|lags| exposition.histogram(lags)),
            rate_used: sum(&self.rate_used),
        }
    }

    fn in_seconds(&self, exposition: &Exposition<'_>, latency: &Selector) -> Option<Histogram> {
        let mut histogram = exposition.histogram(latency)?;
        if self.unit == LatencyUnit::Milliseconds {
            histogram.buckets.iter_mut().for_each(|bucket| bucket.0 /= 1e3);
        }
        Some(histogram)
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
        let figures = Picks::of(&MetricNames::default()).figures(text);
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
        let figures = Picks::of(&names).figures(text);
        assert_eq!(figures.latency.unwrap().buckets, [(0.25, 1.0)]);
        assert_eq!(figures.timeouts, None);
    }
}
