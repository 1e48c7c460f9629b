//! Grafana's webhook contact point: a group of alerts, each of which says whether it fires.
//!
//! <https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/>

use super::{Posted, Told, record, refused};
use crate::services::ServiceContext;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

/// What is posted, as far as it is read.
#[derive(Deserialize)]
struct Group {
    alerts: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    status: String,
    #[serde(flatten)]
    posted: Posted,
}

/// Takes a group as a whole, or refuses it.
pub(super) async fn receive(State(context): State<Arc<ServiceContext>>, body: Bytes) -> Response {
    let at = context.clock.now();
    let group: Group = match serde_json::from_slice(&body) {
        Ok(group) => group,
        Err(error) => {
            let message = format!("failed to read the alerts: {error}");
            return refused(StatusCode::BAD_REQUEST, &message);
        }
    };
    let told: Result<Vec<Told>, _> = group.alerts.into_iter().map(told).collect();
    match told {
        Ok(all) => {
            all.into_iter().for_each(|one| record(&context, one.at(at)));
            StatusCode::OK.into_response()
        }
        Err(why) => refused(StatusCode::BAD_REQUEST, why),
    }
}

fn told(Member { status, posted }: Member) -> Result<Told, &'static str> {
    let posted = posted.named()?;
    let firing = match status.as_str() {
        "firing" => true,
        "resolved" => false,
        _ => return Err("the status is neither firing nor resolved"),
    };
    let times = posted.times()?;
    Ok(posted.told(times, firing))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{named, taken};
    use super::*;
    use crate::services::testing::context;

    fn post(body: &str) -> (StatusCode, Vec<crate::history::record::Alert>) {
        let (context, tape) = context();
        let body = Bytes::from(body.replace("KEY", &context.keys().api_key()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(receive(State(context), body));
        (answer.status(), taken(&tape))
    }

    /// As Grafana 11 sends it.
    const GROUP: &str = r#"{"receiver":"windthrow","status":"firing","orgId":1,"alerts":[
        {"status":"firing","labels":{"alertname":"Latency","grafana_folder":"slo"},"annotations":{"x":"KEY"},
         "startsAt":"2026-01-01T00:00:10Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://g/1",
         "fingerprint":"f","silenceURL":"","dashboardURL":"","panelURL":"","values":{"B":22}},
        {"status":"resolved","labels":{"alertname":"Errors"},"annotations":null,
         "startsAt":"2026-01-01T00:00:10Z","endsAt":"2026-01-01T00:00:20Z"}],
        "groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://g","version":"1",
        "groupKey":"{}","truncatedAlerts":0,"title":"[FIRING:1]","state":"alerting","message":""}"#;

    #[test]
    fn each_of_a_group_says_whether_it_fires() {
        let (status, alerts) = post(GROUP);
        assert_eq!(
            (status, named(&alerts)),
            (StatusCode::OK, vec![("Latency", true), ("Errors", false)])
        );
        assert_eq!(alerts[0].annotations["x"], "[key]");
        assert_eq!(
            (alerts[0].starts_unix_ms, alerts[0].ends_unix_ms),
            (Some(1_767_225_610_000), None)
        );
    }

    #[test]
    fn what_is_no_group_is_refused() {
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"alerts":[{"status":"firing"}]}"#,
            r#"{"alerts":[{"status":"new","labels":{"alertname":"a"}}]}"#,
            r#"{"alerts":[{"status":"firing","labels":{"alertname":"a"},"startsAt":"now"}]}"#,
        ] {
            let (status, alerts) = post(wrong);
            assert_eq!((status, alerts.len()), (StatusCode::BAD_REQUEST, 0), "{wrong}");
        }
        assert_eq!(post(r#"{"alerts":[]}"#).0, StatusCode::OK);
    }
}
