//! CloudWatch's alarms, as SNS delivers them over HTTP, with the handshake of a subscription.
//!
//! A subscription is confirmed by following its address, and only where that is on this machine, so that
//! nobody has the mock call elsewhere. Signatures are not verified: whoever may call the receiver may send it
//! alerts of any kind.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>

use super::{Told, record, refused};
use crate::services::ServiceContext;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long the confirmation of a subscription may take.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(5);

/// What is posted, as far as it is read.
#[derive(Deserialize)]
#[serde(tag = "Type")]
enum Posted {
    Notification {
        #[serde(rename = "Message")]
        message: String,
    },
    SubscriptionConfirmation {
        #[serde(rename = "SubscribeURL")]
        subscribe_url: String,
    },
    UnsubscribeConfirmation {},
}

/// The message that an alarm sends.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alarm {
    alarm_name: String,
    new_state_value: AlarmState,
    #[serde(default)]
    alarm_description: Option<String>,
    #[serde(default)]
    new_state_reason: Option<String>,
    #[serde(default)]
    state_change_time: Option<String>,
    #[serde(default)]
    trigger: Trigger,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum AlarmState {
    Ok,
    Alarm,
    InsufficientData,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Trigger {
    metric_name: Option<String>,
    namespace: Option<String>,
    dimensions: Vec<Dimension>,
}

#[derive(Deserialize)]
struct Dimension {
    name: String,
    value: String,
}

/// Takes a notification, or the handshake before the first one. With raw delivery the alarm comes bare.
pub(super) async fn receive(State(context): State<Arc<ServiceContext>>, body: Bytes) -> Response {
    let at = context.clock.now();
    let message = match serde_json::from_slice(&body) {
        Ok(Posted::Notification { message }) => message.into_bytes(),
        Ok(Posted::SubscriptionConfirmation { subscribe_url }) => {
            return confirm(&context, &subscribe_url).await;
        }
        Ok(Posted::UnsubscribeConfirmation {}) => return StatusCode::OK.into_response(),
        Err(_) => body.to_vec(),
    };
    match serde_json::from_slice(&message) {
        Ok(alarm) => {
            record(&context, told(alarm).at(at));
            StatusCode::OK.into_response()
        }
        Err(error) => {
            let message = format!("failed to read the alarm: {error}");
            refused(StatusCode::BAD_REQUEST, &message)
        }
    }
}

fn told(alarm: Alarm) -> Told {
    let Trigger { metric_name, namespace, dimensions } = alarm.trigger;
    let mut labels: BTreeMap<String, String> =
        dimensions.into_iter().map(|one| (one.name, one.value)).collect();
    labels.extend(metric_name.map(|name| ("MetricName".to_owned(), name)));
    labels.extend(namespace.map(|name| ("Namespace".to_owned(), name)));
    labels.retain(|_, value| !value.is_empty());
    labels.insert("alertname".to_owned(), alarm.alarm_name);
    let mut annotations = BTreeMap::new();
    annotations.extend(alarm.alarm_description.map(|text| ("description".to_owned(), text)));
    annotations.extend(alarm.new_state_reason.map(|text| ("reason".to_owned(), text)));
    let firing = alarm.new_state_value == AlarmState::Alarm;
    let changed = alarm.state_change_time.and_then(|time| time.parse().ok());
    let (starts, ends) = if firing { (changed, None) } else { (None, changed) };
    Told { labels, annotations, starts, ends, firing }
}

/// Calls the address of a confirmation once, without following it anywhere else.
async fn confirm(context: &ServiceContext, address: &str) -> Response {
    let url = match Url::parse(address) {
        Ok(url) if is_here(&url, &context.listen.names()) => url,
        _ => {
            let message = "SubscribeURL is not on this machine, and is not called";
            return refused(StatusCode::FORBIDDEN, message);
        }
    };
    let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(CONFIRMED_WITHIN);
    let confirmed = match client.build() {
        Ok(client) => client.get(url).send().await.and_then(reqwest::Response::error_for_status),
        Err(error) => Err(error),
    };
    match confirmed {
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => {
            let message = format!("failed to confirm the subscription: {}", error.without_url());
            refused(StatusCode::BAD_GATEWAY, &message)
        }
    }
}

/// Whether an address is loopback, or one of those that the receiver itself is called by.
fn is_here(url: &Url, names: &[String]) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_named = names.iter().any(|name| name.eq_ignore_ascii_case(host));
    let is_loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
    matches!(url.scheme(), "http" | "https") && (is_loopback || is_named)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{named, taken};
    use super::*;
    use crate::services::testing::context;
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn alarm(state: &str) -> String {
        json!({
            "AlarmName": "Latency", "AlarmDescription": "p95 KEY", "AWSAccountId": "123456789012",
            "NewStateValue": state, "NewStateReason": "Threshold Crossed", "OldStateValue": "OK",
            "StateChangeTime": "2026-01-01T00:00:10.000+0000", "Region": "EU (Frankfurt)",
            "Trigger": {"MetricName": "Latency", "Namespace": "Page", "Statistic": "AVERAGE", "Unit": null,
                "Dimensions": [{"value": "me", "name": "Route"}], "Period": 60, "Threshold": 0.5},
        })
        .to_string()
    }

    fn notification(state: &str) -> String {
        json!({
            "Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:eu-central-1:1:x",
            "Subject": "ALARM", "Message": alarm(state), "Timestamp": "2026-01-01T00:00:10.000Z",
            "SignatureVersion": "1", "Signature": "none", "SigningCertURL": "", "UnsubscribeURL": "",
        })
        .to_string()
    }

    async fn post(body: &str) -> (StatusCode, Vec<crate::history::record::Alert>) {
        let (context, tape) = context();
        let body = Bytes::from(body.replace("KEY", &context.keys().api_key()));
        let answer = receive(State(context), body).await;
        (answer.status(), taken(&tape))
    }

    #[tokio::test]
    async fn an_alarm_fires_in_its_state_alone_wrapped_or_raw() {
        for (state, firing) in [("ALARM", true), ("OK", false), ("INSUFFICIENT_DATA", false)] {
            for body in [notification(state), alarm(state)] {
                let (status, alerts) = post(&body).await;
                assert_eq!((status, named(&alerts)), (StatusCode::OK, vec![("Latency", firing)]));
                assert_eq!(alerts[0].labels["Route"], "me");
                assert_eq!(alerts[0].annotations["description"], "p95 [key]");
                let changed = alerts[0].starts_unix_ms.or(alerts[0].ends_unix_ms);
                assert_eq!(changed, Some(1_767_225_610_000));
            }
        }
        for wrong in ["", "{}", &notification("ALARM").replace("AlarmName", "Name"), &alarm("BAD")]
        {
            assert_eq!(post(wrong).await, (StatusCode::BAD_REQUEST, vec![]), "{wrong}");
        }
    }

    fn subscription(url: &str) -> String {
        json!({
            "Type": "SubscriptionConfirmation", "MessageId": "1", "Token": "t", "TopicArn": "arn",
            "Message": "You have chosen to subscribe", "SubscribeURL": url, "Signature": "none",
        })
        .to_string()
    }

    #[tokio::test]
    async fn a_subscription_is_confirmed_on_this_machine_without_going_elsewhere() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in
                ["200 OK\r\n", "302 Found\r\nlocation: http://192.0.2.1/\r\n", "500 No\r\n"]
            {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = vec![0; 4_096];
                let length = stream.read(&mut head).await.unwrap();
                asked.push(String::from_utf8_lossy(&head[..length]).into_owned());
                let answer =
                    format!("HTTP/1.1 {answer}content-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        });
        let body = subscription(&format!("http://{address}/?Action=ConfirmSubscription&Token=t"));
        // A redirect is an answer, and is not followed.
        for expected in [200, 200, 502] {
            assert_eq!(post(&body).await.0.as_u16(), expected);
        }
        let asked = server.await.unwrap();
        assert!(
            asked.iter().all(|head| head.starts_with("GET /?Action=ConfirmSubscription&Token=t "))
        );
        assert_eq!(
            post(r#"{"Type":"UnsubscribeConfirmation","Token":"t"}"#).await.0,
            StatusCode::OK
        );
    }

    #[tokio::test]
    async fn what_is_elsewhere_is_not_called() {
        for elsewhere in [
            "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription",
            "http://192.0.2.1/",
            "http://localhost.example.com/",
            "http://127.0.0.1@192.0.2.1/",
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "nothing",
            "",
        ] {
            assert_eq!(
                post(&subscription(elsewhere)).await.0,
                StatusCode::FORBIDDEN,
                "{elsewhere}"
            );
        }
        let here = |text: &str| is_here(&Url::parse(text).unwrap(), &["mock.test".to_owned()]);
        assert!(
            ["http://127.8.9.1:4/", "https://[::1]/", "http://mock.test:1/"].map(here) == [true; 3]
        );
    }
}
