//! What the integration's metrics are called, as its configuration says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which series hold what guarantees read: `name` or `name{label="value"}`; empty where there is
/// none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricNames {
    /// Upstream requests that timed out.
    pub timeouts: String,
    /// Upstream requests that were refused for their key or its scopes.
    pub auth_errors: String,
    /// The histogram of upstream requests' durations, without `_bucket`.
    pub latency: String,
    /// The unit of the latency histogram's bounds.
    pub latency_unit: LatencyUnit,
    /// Page views served from the cache.
    pub cache_hits: String,
    /// Page views that needed a call.
    pub cache_misses: String,
    /// Page views served from an expired page.
    pub cache_stale: String,
    /// The age of the key for Linktree that is in use, in seconds.
    pub key_age: String,
    /// How long clicks have waited, in seconds: a gauge, or a histogram without `_bucket`.
    pub click_lag: String,
    /// Upstream requests in the limit's window, a gauge.
    pub rate_used: String,
}

/// The unit of a histogram's bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyUnit {
    /// Seconds, as Prometheus asks for.
    #[default]
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

impl Default for MetricNames {
    /// The names of contract.md section 2.
    fn default() -> Self {
        let outcome = |word| format!("linktree_upstream_requests_total{{outcome=\"{word}\"}}");
        let cache = |word| format!("linktree_profile_cache_requests_total{{result=\"{word}\"}}");
        Self {
            timeouts: outcome("timeout"),
            auth_errors: outcome("auth"),
            latency: "linktree_upstream_request_duration_seconds".into(),
            latency_unit: LatencyUnit::Seconds,
            cache_hits: cache("hit"),
            cache_misses: cache("miss"),
            cache_stale: cache("stale"),
            key_age: "linktree_api_key_age_seconds".into(),
            click_lag: "linktree_click_delivery_lag_seconds".into(),
            rate_used: "linktree_rate_limit_used".into(),
        }
    }
}
