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
