//! A message before it is sealed: one id, one body, whoever gets it.
//!
//! The body is JSON that no library writes like this: the first hyphen of its nonce is escaped, which
//! RFC 8259 section 7 allows and nobody needs. A receiver that verifies what it has parsed and written
//! again, in place of the bytes that came, refuses every genuine message; that is the commonest mistake
//! with signatures, and unseen with a sender that writes as the receiver's own library does.

use super::event::WebhookEvent;
use crate::clock::Clock;
use crate::seed;
use serde::Serialize;
use serde_json::{Map, Value};

/// What happened, ready to be sealed and sent.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// In the order in which messages were posted, from 0.
    pub number: u64,
    pub id: String,
    pub event: WebhookEvent,
    pub handle: String,
    pub body: Vec<u8>,
}

/// The fields stand in this order on the wire; forgeries rely on `data` being the last.
#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    r#type: WebhookEvent,
    created_at: &'a str,
    data: Map<String, Value>,
}

impl Message {
    /// A message that says `data`, and whom it is about, and a nonce that is unique in the run. Data
    /// that is no object stands under `value`.
    pub fn new(root: u64, number: u64, event: WebhookEvent, handle: &str, data: Value) -> Self {
        let mut fields = match data {
            Value::Object(fields) => fields,
            Value::Null => Map::new(),
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        let short = |label| {
            let digits = seed::derive(root, &["webhook", label, &number.to_string()]);
            hex::encode(&digits[..12])
        };
        fields.insert("handle".to_owned(), handle.into());
        fields.insert("nonce".to_owned(), format!("w-{}", short("nonce")).into());
        let id = format!("msg_{}", short("message"));
        let body = Body { id: &id, r#type: event, created_at: &created_at(), data: fields };
        let body = serde_json::to_string(&body).expect("JSON values are always writable");
        let body = body.replacen(NONCE, NONCE_ESCAPED, 1).into_bytes();
        Self { number, id, event, handle: handle.to_owned(), body }
    }
}

/// How a nonce begins in what a library writes. In a string the quotes would be escaped.
const NONCE: &str = r#""nonce":"w-"#;

/// The same to whoever parses it, in bytes that no library writes.
const NONCE_ESCAPED: &str = r#""nonce":"w\u002d"#;

/// Now as RFC 3339 in whole seconds.
pub(super) fn created_at() -> String {
    let now = jiff::Timestamp::try_from(Clock::wall()).unwrap_or_default();
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(message: &Message) -> Value {
        serde_json::from_slice(&message.body).unwrap()
    }

    #[test]
    fn id_and_nonce_follow_seed_and_number() {
        let make = |root, number| {
            Message::new(root, number, WebhookEvent::LinkClicked, "a-0001", json!({}))
        };
        let nonce = |message: &Message| body(message)["data"]["nonce"].clone();
        assert_eq!(make(7, 0).id, make(7, 0).id);
        assert_eq!(nonce(&make(7, 0)), nonce(&make(7, 0)));
        for other in [make(7, 1), make(8, 0)] {
            assert_ne!(make(7, 0).id, other.id);
            assert_ne!(nonce(&make(7, 0)), nonce(&other));
        }
    }

    /// Keeps the order of fields, as most libraries do.
    #[derive(serde::Deserialize, Serialize)]
    struct InOrder {
        id: String,
        r#type: String,
        created_at: String,
        data: Map<String, Value>,
    }

    #[test]
    fn what_is_parsed_and_written_again_is_the_same_json_in_other_bytes() {
        let data = json!({ "link_id": "l1", "title": "\"nonce\":\"w-" });
        let message = Message::new(7, 0, WebhookEvent::LinkUpdated, "a-0001", data);
        let parsed: InOrder = serde_json::from_slice(&message.body).unwrap();
        let again = serde_json::to_vec(&parsed).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&again).unwrap(), body(&message));
        assert_eq!(again.len() + r"\u002d".len(), message.body.len() + "-".len());
    }

    #[test]
    fn data_keeps_its_fields_but_cannot_replace_handle_and_nonce() {
        let check = |data: Value, expected: &[&str]| {
            let message = Message::new(7, 0, WebhookEvent::LinkUpdated, "a-0001", data);
            let text = String::from_utf8(message.body.clone()).unwrap();
            assert!(
                text.starts_with(&format!("{{\"id\":\"{}\",\"type\":\"link.updated\"", message.id))
            );
            let data = &body(&message)["data"];
            assert_eq!(data["handle"], "a-0001");
            assert!(data["nonce"].as_str().unwrap().starts_with("w-"));
            let keys: Vec<_> = data.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, expected);
        };
        check(json!({ "link_id": "l1" }), &["handle", "link_id", "nonce"]);
        check(json!({ "handle": "me", "nonce": 1 }), &["handle", "nonce"]);
        check(json!(null), &["handle", "nonce"]);
        check(json!([1]), &["handle", "nonce", "value"]);
    }
}
