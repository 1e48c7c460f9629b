//! Which alert stands for what, as an integration or its monitoring names them.

use mock_server::history::record::Alert;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an alert says is wrong.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// The 95th percentile of upstream latency is above its bound.
    Latency,
    /// Too many upstream calls fail.
    ErrorRate,
    /// The rate limit is nearly used up.
    Headroom,
    /// Clicks wait for too long.
    ClickLag,
    /// Upstream calls time out.
    Timeouts,
    /// The key is refused.
    AuthErrors,
    /// The key is old.
    KeyAge,
}

impl AlertKind {
    /// Its key in `[observe.alerts]`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::ErrorRate => "error_rate",
            Self::Headroom => "headroom",
            Self::ClickLag => "click_lag",
            Self::Timeouts => "timeouts",
            Self::AuthErrors => "auth_errors",
            Self::KeyAge => "key_age",
        }
    }

    /// The alert without which nothing is left of a promise, if there is one.
    #[must_use]
    pub fn all_of(guarantee: &str) -> Option<Self> {
        match guarantee {
            "error-rate-alert" => Some(Self::ErrorRate),
            "headroom-alert" => Some(Self::Headroom),
            _ => None,
        }
    }
}

/// The name of an alert, and labels that it has besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertName {
    /// The label `alertname`.
    pub alertname: String,
    /// Other labels that tell it from alerts of the same name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl AlertName {
    /// An alert that its name alone tells from others.
    #[must_use]
    pub fn plain(alertname: &str) -> Self {
        Self { alertname: alertname.to_owned(), labels: BTreeMap::new() }
    }

    /// Whether an alert bears this name and these labels.
    #[must_use]
    pub fn is_of(&self, alert: &Alert) -> bool {
        let has = |name: &str, value: &String| alert.labels.get(name) == Some(value);
        has("alertname", &self.alertname)
            && self.labels.iter().all(|(name, value)| has(name, value))
    }
}

/// Which alert stands for what; what has no name is not looked for.
pub type AlertNames = BTreeMap<AlertKind, AlertName>;

#[cfg(test)]
mod tests {
    use super::*;
    use mock_server::clock::Moment;

    #[test]
    fn an_alert_is_told_by_its_name_and_every_label_that_is_named() {
        let pairs = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
            all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let check = |labels: &[(&str, &str)], expected| {
            let alert = Alert {
                at: Moment::ZERO,
                labels: pairs(labels),
                annotations: BTreeMap::new(),
                starts_unix_ms: None,
                ends_unix_ms: None,
                firing: true,
                until: None,
            };
            let name = AlertName { labels: pairs(&[("slo", "errors")]), ..AlertName::plain("Slo") };
            assert_eq!(name.is_of(&alert), expected, "{labels:?}");
        };
        check(&[("alertname", "Slo"), ("slo", "errors"), ("pod", "1")], true);
        check(&[("alertname", "Slo"), ("slo", "latency")], false);
        check(&[("alertname", "Slo")], false);
        check(&[("alertname", "Other"), ("slo", "errors")], false);
    }

    #[test]
    fn a_kind_is_written_as_its_key() {
        for kind in [AlertKind::Latency, AlertKind::ErrorRate, AlertKind::KeyAge] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.key());
        }
    }
}
