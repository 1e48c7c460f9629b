//! How an integration's metrics come: scraped, or pushed in one of three ways.

use super::selector::{Selector, SelectorError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The way that metrics take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Scraped in the text format of Prometheus.
    #[default]
    Prometheus,
    /// Sent to `{dogstatsd.host}`, `{dogstatsd.port}` as datagrams of DogStatsD.
    Dogstatsd,
    /// Posted to `{otlp.url}/v1/metrics` by an exporter of OpenTelemetry, in JSON or protobuf.
    Otlp,
    /// Put to `{cloudwatch.url}` by an SDK of AWS: `PutMetricData`.
    Cloudwatch,
}

impl Channel {
    /// As the configuration calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Dogstatsd => "dogstatsd",
            Self::Otlp => "otlp",
            Self::Cloudwatch => "cloudwatch",
        }
    }

    /// Whether the integration sends them itself.
    #[must_use]
    pub const fn is_pushed(self) -> bool {
        !matches!(self, Self::Prometheus)
    }

    /// The selector that a text is, among the names of this channel.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn selector(self, text: &str) -> Result<Selector, SelectorError> {
        if self.is_pushed() { Selector::of_pushed(text) } else { text.parse() }
    }
}
