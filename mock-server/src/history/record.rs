//! Everything that the mock sees and does, as records on one clock, and where they go.
//!
//! In their JSON a moment of that clock is a whole number of nanoseconds, whatever its name; any
//! other time says its unit at the end of its name. No object has a name twice.

use crate::clock::Moment;
use crate::contract::SecretsManager;
use crate::faults::FaultMark;
use crate::history::exchange::Exchange;
use crate::history::handshake::Handshake;
use crate::keyring::Rotation;
use crate::webhooks::WebhookEvent;
use crate::world::WorldEvent;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One thing that the mock has seen or done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Record {
    /// An upstream exchange is over.
    Exchange(Box<Exchange>),
    /// A webhook was sent, or could not be.
    Delivery(Box<Delivery>),
    /// A webhook address was looked at.
    Reachability(Reachability),
    /// A secrets manager was asked.
    SecretRead(SecretRead),
    /// An alert came in.
    Alert(Alert),
    /// A TLS handshake is over.
    Handshake(Box<Handshake>),
    /// Something happened in the world: a page was edited, a key rotated.
    World(Happened),
    /// The mock ran out of something.
    Overload(Overload),
}

/// The name of every event, as it stands in a record's JSON.
pub const EVENTS: &[&str] = &[
    "exchange",
    "delivery",
    "reachability",
    "secret-read",
    "alert",
    "handshake",
    "world",
    "overload",
];

impl Record {
    /// The name of this event, one of [`EVENTS`].
    #[must_use]
    pub const fn event(&self) -> &'static str {
        match self {
            Self::Exchange(_) => "exchange",
            Self::Delivery(_) => "delivery",
            Self::Reachability(_) => "reachability",
            Self::SecretRead(_) => "secret-read",
            Self::Alert(_) => "alert",
            Self::Handshake(_) => "handshake",
            Self::World(_) => "world",
            Self::Overload(_) => "overload",
        }
    }

    /// When it was over.
    #[must_use]
    pub fn at(&self) -> Moment {
        match self {
            Self::Exchange(exchange) => exchange.t_end,
            Self::Delivery(delivery) => delivery.t_end,
            Self::Reachability(look) => look.at,
            Self::SecretRead(read) => read.at,
            Self::Alert(alert) => alert.at,
            Self::Handshake(handshake) => handshake.t_end,
            Self::World(happened) => happened.at,
            Self::Overload(overload) => overload.at,
        }
    }
}

/// Where records go. It is called while others wait, so it must be quick.
pub trait Recorder: Send + Sync {
    /// Something was seen or done.
    fn record(&self, record: Record);
}

/// One attempt to deliver one webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The message's id as it was sent.
    pub id: String,
    /// The registration that it was sent for.
    pub webhook: String,
    /// What it is about, such as `link.clicked`.
    pub webhook_event: WebhookEvent,
    /// Whom it is about.
    pub handle: String,
    /// From 1; a duplicate is an attempt of its own.
    pub attempt: u32,
    /// Where to.
    pub url: String,
    /// SHA-256 of the body's bytes, lower hex.
    pub body_sha256: String,
    /// True when every condition for acceptance holds: a valid signature over these bytes, a fresh
    /// timestamp. Whether the id was seen before follows from the other deliveries.
    pub authentic: bool,
    /// When sending began.
    pub t_sent: Moment,
    /// When the answer was there, or the attempt was over.
    pub t_end: Moment,
    /// The answer's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The faults that shaped it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultMark>,
    /// The body, where nobody can process it, for whoever looks whether it was kept. It is handed on in
    /// memory only, and written nowhere.
    #[serde(skip)]
    pub poison: Option<Arc<[u8]>>,
}

/// A `HEAD` to a webhook's address after its registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reachability {
    /// When the answer was there, or the attempt was over.
    pub at: Moment,
    /// The registration.
    pub webhook: String,
    /// The address.
    pub url: String,
    /// The answer's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A request to a secrets manager: a read of the secret, or whatever else was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRead {
    /// When.
    pub at: Moment,
    /// Which one was asked; the vault where nothing is said.
    #[serde(default, skip_serializing_if = "SecretsManager::is_vault")]
    pub manager: SecretsManager,
    /// The method; of AWS Secrets Manager the operation.
    pub method: String,
    /// The path that was asked for; of AWS Secrets Manager the secret's name.
    pub path: String,
    /// The namespace that a header or the path named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What its token was worth: `run`, `login`, `wrapping` (it opens a wrapped
    /// answer), `expired`, `revoked`, `unknown` or `absent`.
    pub token: String,
    /// The answer's status; 0 where a fault let none come.
    pub status: u16,
    /// The version of the secret that was handed out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The fault that decided the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultMark>,
}

/// An alert as it was received (Alertmanager API v2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// When it was received.
    pub at: Moment,
    /// Its labels; `alertname` is its name.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// `startsAt` by the sender's clock, milliseconds since the Unix epoch; none when it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_unix_ms: Option<i64>,
    /// `endsAt` by the sender's clock, milliseconds since the Unix epoch; none when it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_unix_ms: Option<i64>,
    /// Whether it fires, as an Alertmanager decides it when it comes in: `endsAt` is not set, or lies
    /// ahead by the receiver's clock. Prometheus always sends one that lies ahead while an alert fires.
    pub firing: bool,
    /// Until when it fires if nothing more is heard of it, where `endsAt` lies ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

/// Something happened in the world, as planned or because somebody steered it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Happened {
    /// When; from this moment on it was so.
    pub at: Moment,
    /// When the plan wanted it, real milliseconds since the traffic began; none when somebody
    /// steered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_ms: Option<u64>,
    /// What. What a webhook says besides is left out.
    pub what: WorldEvent,
    /// The id of the new key, or of the webhook's message; none when nobody wanted the webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
    /// Which credential took the place of which, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
}

/// The mock could not do its work: never to be blamed on the integration under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overload {
    /// When.
    pub at: Moment,
    /// What was exhausted, in words.
    pub what: String,
}

/// A record of each kind, with everything in it that may be there.
#[cfg(test)]
pub(crate) fn examples() -> Vec<Record> {
    use crate::contract::{Listener, Route};
    use crate::faults::FaultKind;
    use crate::history::exchange::{
        ClickReceipt, CursorIn, Denied, End, KeyPlace, LinkReceipt, Listed, RegistrationReceipt,
        RetryAfter, RetryAfterForm,
    };
    use crate::history::handshake::{Certificate, Credential, HandshakeEnd};
    let at = Moment::from_ms(5);
    let text = |text: &str| text.to_owned();
    let mark = FaultMark { rule: text("r"), kind: FaultKind::Status, key: text("k"), nth: 0 };
    let exchange = Exchange {
        id: 1,
        conn: 2,
        conn_seq: 3,
        method: text("POST"),
        target: text("/v1/clicks"),
        route: Route::Clicks,
        handle: Some(text("a-0001")),
        host: Some(text("localhost")),
        token: text("live"),
        key_id: Some(text("key_1")),
        key_places: vec![KeyPlace::BearerHeader],
        secret_places: vec![KeyPlace::Query],
        accept: Some(text("*/*")),
        content_type: Some(text("application/json")),
        idempotency_key: Some(text("k")),
        body_bytes: 4,
        clicks: vec![ClickReceipt {
            event_id: text("e"),
            payload: text("p"),
            status: 202,
            effect: true,
        }],
        listed: Some(Box::new(Listed {
            ids: vec![text("l")],
            inactive: vec![text("m")],
            has_more: true,
            cursor_in: CursorIn::Fresh,
            next: Some(text("c")),
        })),
        links: vec![LinkReceipt { id: text("l"), payload: text("p"), status: 200, effect: true }],
        registration: Some(Box::new(RegistrationReceipt {
            id: text("wh_1"),
            url: text("http://127.0.0.1:9/"),
            events: vec![WebhookEvent::LinkClicked],
        })),
        t_conn: at,
        t_head: at,
        t_req: at,
        t_first: Some(at),
        t_w: Some(at),
        t_end: at,
        end: End::Complete,
        status: Some(202),
        retry_after: Some(RetryAfter {
            value: text("1"),
            form: RetryAfterForm::Seconds,
            until: Some(at),
        }),
        version: Some(text("v")),
        nonce: Some(text("n")),
        faults: vec![mark.clone()],
        doubtful: true,
        over_limit: true,
        denied: Some(Denied::Scope),
    };
    let handshake = Handshake {
        listener: Listener::Vault,
        conn: Some(1),
        t_conn: at,
        t_end: at,
        end: HandshakeEnd::Completed,
        shown: Some(Certificate::WrongHost),
        server_name: Some(text("localhost")),
        version: Some(text("TLSv1_3")),
        alert: Some(45),
        bytes: 9,
        credentials: vec![Credential::VaultToken],
        faults: vec![mark.clone()],
    };
    let delivery = Delivery {
        id: text("msg_1"),
        webhook: text("wh_1"),
        webhook_event: WebhookEvent::LinkClicked,
        handle: text("a-0001"),
        attempt: 1,
        url: text("http://127.0.0.1:9/"),
        body_sha256: text("00"),
        authentic: true,
        t_sent: at,
        t_end: at,
        status: Some(200),
        failure: Some(text("none")),
        faults: vec![mark.clone()],
        poison: None,
    };
    let (webhook, url) = (text("wh_1"), text("http://127.0.0.1:9/"));
    let (status, failure) = (Some(200), Some(text("none")));
    let look = Reachability { at, webhook, url, status, failure };
    let read = SecretRead {
        manager: SecretsManager::Vault,
        at,
        method: text("GET"),
        path: text("/v1"),
        namespace: Some(text("team")),
        token: text("run"),
        status: 200,
        version: Some(1),
        faults: vec![mark.clone()],
    };
    let pairs = BTreeMap::from([(text("alertname"), text("a"))]);
    let alert = Alert {
        at,
        labels: pairs.clone(),
        annotations: pairs,
        starts_unix_ms: Some(1),
        ends_unix_ms: Some(2),
        firing: true,
        until: Some(at),
    };
    let rotation = Rotation {
        what: crate::keyring::Rotated::ApiKey,
        old_id: text("key_1"),
        new_id: text("key_2"),
        version: 2,
        valid_until: at,
        old_age_ms: Some(1),
    };
    let happened = |what| {
        let (made, rotation) = (Some(text("msg_1")), Some(rotation.clone()));
        Happened { at, planned_ms: Some(1), what, made, rotation }
    };
    let mut records = vec![
        Record::Exchange(Box::new(exchange)),
        Record::Delivery(Box::new(delivery)),
        Record::Reachability(look),
        Record::SecretRead(read),
        Record::Alert(alert),
        Record::Handshake(Box::new(handshake)),
        Record::Overload(Overload { at, what: text("all") }),
    ];
    records.extend(WorldEvent::examples().into_iter().map(happened).map(Record::World));
    records
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strict_json;
    use std::collections::BTreeSet;

    #[test]
    fn every_record_is_one_line_with_every_name_once_and_reads_back() {
        let mut named = BTreeSet::new();
        for record in examples() {
            let line = serde_json::to_string(&record).unwrap();
            strict_json::check(&line);
            assert!(line.starts_with(&format!("{{\"event\":\"{}\",", record.event())), "{line}");
            assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
            named.insert(record.event());
        }
        assert_eq!(named, EVENTS.iter().copied().collect(), "there is an example of each");
        assert_eq!(named.len(), EVENTS.len());
    }
}
