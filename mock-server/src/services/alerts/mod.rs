//! Receives alerts in the shape of whoever sends them: one route for each, one kind of record.
//!
//! Alertmanager's API v2 (`alertmanager`), Grafana's webhook contact point (`grafana`), a webhook whose
//! body the user writes, as Datadog's monitors have (`webhook`), and CloudWatch's alarms as SNS delivers them
//! (`sns`).

mod alertmanager;
mod fields;
mod grafana;
mod sns;
mod webhook;

pub use fields::AlertFields;

use crate::clock::{Clock, Moment};
use crate::history::record::{Alert, Record};
use crate::services::ServiceContext;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest body, bytes.
const MAX_BODY: usize = 1024 * 1024;

/// The receiver's routes.
pub(crate) fn router(context: Arc<ServiceContext>, fields: AlertFields) -> Router {
    let webhook = webhook::Mapped { context: Arc::clone(&context), fields };
    let webhook = Router::new()
        .route("/webhook", post(webhook::receive))
        .route("/datadog", post(webhook::receive))
        .with_state(Arc::new(webhook));
    let others = Router::new()
        .route("/grafana", post(grafana::receive))
        .route("/sns", post(sns::receive))
        .with_state(Arc::clone(&context));
    alertmanager::router(context)
        .merge(webhook)
        .merge(others)
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// Refusals are a string in JSON, as Alertmanager's are.
fn refused(status: StatusCode, message: &str) -> Response {
    (status, Json(message)).into_response()
}

fn now() -> jiff::Timestamp {
    jiff::Timestamp::try_from(Clock::wall()).unwrap_or_default()
}

/// An alert in the words of Alertmanager, which are Grafana's, too; `generatorURL` is taken and not kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    starts_at: Option<String>,
    #[serde(default)]
    ends_at: Option<String>,
}

/// When it begins and ends, as far as that is set.
type Times = (Option<jiff::Timestamp>, Option<jiff::Timestamp>);

impl Posted {
    /// Itself, if it has a name.
    fn named(mut self) -> Result<Self, &'static str> {
        // Alertmanager takes an empty label for a missing one.
        self.labels.retain(|_, value| !value.is_empty());
        let has_name = self.labels.contains_key("alertname");
        has_name.then_some(self).ok_or("the label alertname is missing")
    }

    fn times(&self) -> Result<Times, &'static str> {
        Ok((time(self.starts_at.as_deref())?, time(self.ends_at.as_deref())?))
    }

    fn told(self, (starts, ends): Times, firing: bool) -> Told {
        let annotations = self.annotations.unwrap_or_default();
        Told { labels: self.labels, annotations, starts, ends, firing }
    }
}

/// A time as an Alertmanager reads it; none when it is not set.
fn time(text: Option<&str>) -> Result<Option<jiff::Timestamp>, &'static str> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let time: jiff::Timestamp = text.parse().map_err(|_| NO_TIME)?;
    Ok(Some(time).filter(|time| time.as_second() > ZERO_TIME))
}

const NO_TIME: &str = "startsAt and endsAt must be RFC 3339 times";

/// The end of the year 1: Go's clients send that year's first second for a time that is not set.
const ZERO_TIME: i64 = -62_104_060_800;

/// An alert that says itself whether it fires.
struct Told {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts: Option<jiff::Timestamp>,
    ends: Option<jiff::Timestamp>,
    firing: bool,
}

impl Told {
    fn at(self, at: Moment) -> Alert {
        let Self { labels, annotations, starts, ends, firing } = self;
        let unix_ms = |time: Option<jiff::Timestamp>| time.map(jiff::Timestamp::as_millisecond);
        let (starts_unix_ms, ends_unix_ms) = (unix_ms(starts), unix_ms(ends));
        Alert { at, labels, annotations, starts_unix_ms, ends_unix_ms, firing, until: None }
    }
}

/// Records an alert without credentials, which must not reach a history even when the sender leaks them.
fn record(context: &ServiceContext, alert: Alert) {
    let ring = context.keys().ring();
    let clean = |text: String| ring.scanner().redacted(&text).into_owned();
    let all = |pairs: BTreeMap<String, String>| {
        pairs.into_iter().map(|(name, value)| (clean(name), clean(value))).collect()
    };
    let (labels, annotations) = (all(alert.labels), all(alert.annotations));
    context.recorder.record(Record::Alert(Alert { labels, annotations, ..alert }));
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::services::testing::Tape;

    /// The alerts on a tape, which is empty then.
    pub fn taken(tape: &Tape) -> Vec<Alert> {
        let records = tape.0.lock().unwrap().drain(..).collect::<Vec<_>>();
        let alert = |record| match record {
            Record::Alert(alert) => alert,
            other => panic!("{other:?}"),
        };
        records.into_iter().map(alert).collect()
    }

    /// Each alert's name, and whether it fires.
    pub fn named(alerts: &[Alert]) -> Vec<(&str, bool)> {
        alerts.iter().map(|alert| (alert.labels["alertname"].as_str(), alert.firing)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_milliseconds_since_the_epoch_and_gos_zero_is_none() {
        let check = |text: Option<&str>, expected: Result<Option<i64>, &str>| {
            let found = time(text).map(|time| time.map(jiff::Timestamp::as_millisecond));
            assert_eq!(found, expected, "{text:?}");
        };
        check(Some("2026-01-01T00:00:00.5Z"), Ok(Some(1_767_225_600_500)));
        check(Some("1970-01-01T01:00:00+01:00"), Ok(Some(0)));
        check(Some("0001-01-01T00:00:00Z"), Ok(None));
        check(Some(""), Ok(None));
        check(None, Ok(None));
        check(Some("yesterday"), Err(NO_TIME));
    }
}
