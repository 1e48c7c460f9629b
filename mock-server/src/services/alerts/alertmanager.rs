//! Receives alerts as an Alertmanager does (API v2), so that Prometheus, Grafana or the integration
//! itself can send to it unchanged.
//!
//! Like Alertmanager, it takes the valid alerts of a request even when others are refused.

use super::{Posted, now, record, refused};
use crate::clock::Moment;
use crate::history::record::Alert;
use crate::services::ServiceContext;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::sync::Arc;

/// So many refusals of one request are named.
const NAMED: usize = 10;

/// The receiver's routes.
pub(super) fn router(context: Arc<ServiceContext>) -> Router {
    let started = now().to_string();
    Router::new()
        .route("/api/v2/alerts", post(receive))
        .route("/api/v2/status", get(async move || status(&started)))
        .route("/-/healthy", get(async || "OK"))
        .route("/-/ready", get(async || "OK"))
        .with_state(context)
}

/// The receiver's own time: that of the run, and that of the calendar, by which `endsAt` is read.
#[derive(Clone, Copy)]
struct Received {
    at: Moment,
    wall: jiff::Timestamp,
}

impl Received {
    /// When a time of the calendar comes, if it lies ahead.
    fn ahead(self, ends: jiff::Timestamp) -> Option<Moment> {
        let left = std::time::Duration::try_from(ends.duration_since(self.wall)).ok()?;
        (!left.is_zero()).then(|| self.at.plus(left))
    }
}

fn status(started: &str) -> Json<Value> {
    Json(json!({
        "cluster": { "status": "disabled", "peers": [] },
        "versionInfo": {
            "branch": "",
            "buildDate": "",
            "buildUser": "",
            "goVersion": "",
            "revision": "",
            "version": concat!(env!("CARGO_PKG_VERSION"), "+windthrow"),
        },
        "config": { "original": "" },
        "uptime": started,
    }))
}

async fn receive(
    State(context): State<Arc<ServiceContext>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let at = Received { at: context.clock.now(), wall: now() };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let message = format!("failed to read the alerts: send application/json, not {kind:?}");
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message);
    }
    let posted: Vec<Posted> = match serde_json::from_slice(&body) {
        Ok(posted) => posted,
        Err(error) => {
            let message = format!("failed to read the alerts: {error}");
            return refused(StatusCode::BAD_REQUEST, &message);
        }
    };
    let mut wrong = Vec::new();
    for (index, posted) in posted.into_iter().enumerate() {
        match checked(posted, at) {
            Ok(alert) => record(&context, alert),
            Err(why) => wrong.push(format!("alert {index}: {why}")),
        }
    }
    if wrong.is_empty() {
        return StatusCode::OK.into_response();
    }
    let more = wrong.len().saturating_sub(NAMED);
    wrong.truncate(NAMED);
    if more > 0 {
        wrong.push(format!("{more} more"));
    }
    refused(StatusCode::BAD_REQUEST, &wrong.join("; "))
}

/// The alert for the record, if an Alertmanager would take it and it has a name.
fn checked(posted: Posted, received: Received) -> Result<Alert, &'static str> {
    let posted = posted.named()?;
    let (starts, ends) = posted.times()?;
    if starts.zip(ends).is_some_and(|(starts, ends)| ends < starts) {
        return Err("endsAt is before startsAt");
    }
    let until = ends.and_then(|ends| received.ahead(ends));
    let firing = ends.is_none() || until.is_some();
    Ok(Alert { until, ..posted.told((starts, ends), firing).at(received.at) })
}

#[cfg(test)]
mod tests {
    use super::super::MAX_BODY;
    use super::super::testing::taken;
    use super::*;
    use crate::services::testing::context;

    fn post(body: &str, kind: &str) -> (StatusCode, Vec<Alert>) {
        let (context, tape) = context();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        let body = Bytes::from(body.replace("KEY", &context.keys().api_key()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(receive(State(context), headers, body));
        (answer.status(), taken(&tape))
    }

    #[track_caller]
    fn check(body: &str, status: u16, names: &[&str]) {
        let (found, alerts) = post(body, "application/json; charset=utf-8");
        assert_eq!(found, status, "{body}");
        let found: Vec<_> = alerts.iter().map(|alert| alert.labels["alertname"].as_str()).collect();
        assert_eq!(found, names, "{body}");
    }

    #[test]
    fn alerts_are_taken_as_alertmanager_takes_them() {
        check("[]", 200, &[]);
        check(
            r#"[{"labels":{"alertname":"a"}},{"labels":{"alertname":"b"},"generatorURL":"http://x"}]"#,
            200,
            &["a", "b"],
        );
        check(
            r#"[{"labels":{"alertname":"a"},"annotations":null,"startsAt":"2026-01-01T00:00:00.5Z","endsAt":"0001-01-01T00:00:00Z"}]"#,
            200,
            &["a"],
        );
        check(r#"[{"labels":{"alertname":"a"}},{"labels":{"severity":"page"}}]"#, 400, &["a"]);
        check(r#"[{"labels":{"alertname":""}}]"#, 400, &[]);
        check(r#"[{}]"#, 400, &[]);
        check(r#"[{"labels":{"alertname":1}}]"#, 400, &[]);
        check(r#"[{"labels":{"alertname":"a"},"startsAt":"yesterday"}]"#, 400, &[]);
        check(
            r#"[{"labels":{"alertname":"a"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"}]"#,
            400,
            &[],
        );
        check(r#"{"labels":{"alertname":"a"}}"#, 400, &[]);
        check("", 400, &[]);
        assert_eq!(post("[]", "text/plain").0, 415);
    }

    #[test]
    fn an_alert_fires_unless_its_end_has_passed_by_the_receivers_clock() {
        let check = |ends: Option<&str>, expected: (bool, Option<u64>)| {
            let posted = Posted {
                labels: [("alertname".to_owned(), "a".to_owned())].into(),
                annotations: None,
                starts_at: Some("2026-01-01T00:00:00Z".into()),
                ends_at: ends.map(str::to_owned),
            };
            let wall = "2026-01-01T00:01:00Z".parse().unwrap();
            let alert = checked(posted, Received { at: Moment::from_ms(5_000), wall }).unwrap();
            let until = alert.until.map(|until| until.0 / 1_000_000);
            assert_eq!((alert.firing, until), expected, "{ends:?}");
        };
        check(None, (true, None));
        check(Some(""), (true, None));
        check(Some("0001-01-01T00:00:00Z"), (true, None));
        check(Some("2026-01-01T00:05:00Z"), (true, Some(245_000)));
        check(Some("2026-01-01T02:00:59.5+02:00"), (false, None));
        check(Some("2026-01-01T01:01:00.5+01:00"), (true, Some(5_500)));
        check(Some("2026-01-01T00:01:00Z"), (false, None));
        check(Some("2026-01-01T00:00:30Z"), (false, None));
    }

    #[test]
    fn a_leaked_key_does_not_reach_the_record() {
        let body = r#"[{"labels":{"alertname":"a","x":"KEY"},"annotations":{"KEY":"and KEY"}}]"#;
        let alert = post(body, "application/json").1.remove(0);
        assert_eq!(alert.labels["x"], "[key]");
        assert_eq!(alert.annotations["[key]"], "and [key]");
    }

    #[tokio::test]
    async fn many_refusals_are_named_in_short() {
        let (context, tape) = context();
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, "application/json".parse().unwrap())]);
        let body = format!("[{}]", vec!["{}"; 1_000].join(","));
        let answer = receive(State(context), headers, Bytes::from(body)).await;
        let bytes = axum::body::to_bytes(answer.into_body(), MAX_BODY).await.unwrap();
        let text: String = serde_json::from_slice(&bytes).unwrap();
        assert!(text.starts_with("alert 0: the label alertname is missing; alert 1:"), "{text}");
        assert!(text.ends_with("; 990 more"), "{text}");
        assert!(taken(&tape).is_empty());
    }
}
