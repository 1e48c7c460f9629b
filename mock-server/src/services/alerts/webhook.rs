//! A webhook whose body the user writes, as Datadog's monitors have: the configuration says which field holds
//! what ([`AlertFields`]).
//!
//! <https://docs.datadoghq.com/integrations/webhooks/>

use super::{AlertFields, Told, record, refused};
use crate::services::ServiceContext;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How to read it, and where it goes.
pub(super) struct Mapped {
    pub context: Arc<ServiceContext>,
    pub fields: AlertFields,
}

/// Takes one alert.
pub(super) async fn receive(State(mapped): State<Arc<Mapped>>, body: Bytes) -> Response {
    let at = mapped.context.clock.now();
    let told = match serde_json::from_slice(&body) {
        Ok(value) => told(&value, &mapped.fields),
        Err(error) => Err(format!("failed to read the alert: {error}")),
    };
    match told {
        Ok(told) => {
            record(&mapped.context, told.at(at));
            StatusCode::OK.into_response()
        }
        Err(why) => refused(StatusCode::BAD_REQUEST, &why),
    }
}

fn told(body: &Value, fields: &AlertFields) -> Result<Told, String> {
    let text = |field: &str| {
        let found = at(body, field).and_then(in_words).filter(|text| !text.is_empty());
        found.ok_or_else(|| format!("the alert has no field {field}"))
    };
    let (name, status) = (text(&fields.name)?, text(&fields.status)?);
    let mut labels = at(body, &fields.labels).map(labels).unwrap_or_default();
    labels.retain(|_, value| !value.is_empty());
    labels.insert("alertname".to_owned(), name);
    let firing = fields.firing.iter().any(|word| word.eq_ignore_ascii_case(&status));
    let annotations = BTreeMap::from([("status".to_owned(), status)]);
    Ok(Told { labels, annotations, starts: None, ends: None, firing })
}

/// The field of this path.
fn at<'v>(body: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(body, |value, name| value.get(name))
}

fn in_words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A tag without a value is there with the word `true`: an alert's empty label is as good as none.
fn labels(value: &Value) -> BTreeMap<String, String> {
    let tag = |tag: &str| match tag.trim().split_once(':') {
        Some((name, value)) => (name.trim().to_owned(), value.trim().to_owned()),
        None => (tag.trim().to_owned(), "true".to_owned()),
    };
    let of_text = |text: &str| -> Vec<_> {
        text.split(',').filter(|one| !one.trim().is_empty()).map(tag).collect()
    };
    let pairs = match value {
        Value::String(text) => of_text(text),
        Value::Array(all) => all.iter().filter_map(Value::as_str).flat_map(of_text).collect(),
        Value::Object(all) => {
            all.iter().filter_map(|(name, value)| Some((name.clone(), in_words(value)?))).collect()
        }
        _ => Vec::new(),
    };
    pairs.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{named, taken};
    use super::*;
    use crate::history::record::Alert;
    use crate::services::testing::context;

    fn post(body: &str, fields: AlertFields) -> (StatusCode, Vec<Alert>) {
        let (context, tape) = context();
        let body = Bytes::from(body.replace("KEY", &context.keys().api_key()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(receive(State(Arc::new(Mapped { context, fields })), body));
        (answer.status(), taken(&tape))
    }

    #[test]
    fn datadogs_transitions_say_whether_it_fires() {
        let check = |transition: &str, firing: bool| {
            let body = format!(
                "{{\"alertname\":\"Latency\",\"status\":\"{transition}\",\"tags\":\"slo:latency, x:KEY,flag\"}}"
            );
            let (status, alerts) = post(&body, AlertFields::default());
            assert_eq!((status, named(&alerts)), (StatusCode::OK, vec![("Latency", firing)]));
            let label = |name: &str| alerts[0].labels[name].as_str();
            assert_eq!([label("slo"), label("x"), label("flag")], ["latency", "[key]", "true"]);
        };
        check("Triggered", true);
        check("Re-Triggered", true);
        check("Recovered", false);
        check("Warn", false);
        check("No Data", false);
    }

    #[test]
    fn the_configuration_says_where_everything_is() {
        let fields = AlertFields {
            name: "alert.title".to_owned(),
            status: "alert.open".to_owned(),
            firing: vec!["true".to_owned()],
            labels: "meta".to_owned(),
        };
        let of = |body: &str| post(body, fields.clone());
        let (_, alerts) =
            of(r#"{"alert":{"title":"Lag","open":true},"meta":{"n":1,"alertname":"other"}}"#);
        assert_eq!(named(&alerts), [("Lag", true)]);
        assert_eq!(alerts[0].labels["n"], "1");
        let (_, alerts) = of(r#"{"alert":{"title":"Lag","open":false},"meta":["a:b","c:d,e:f"]}"#);
        assert_eq!((named(&alerts), alerts[0].labels.len()), (vec![("Lag", false)], 4));
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"alert":{"title":"Lag"}}"#,
            r#"{"alert":{"title":"","open":true}}"#,
        ] {
            assert_eq!(of(wrong), (StatusCode::BAD_REQUEST, vec![]), "{wrong}");
        }
    }
}
