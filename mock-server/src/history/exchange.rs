//! What the edge records of one upstream request: the evidence that every judge reads.

use crate::clock::Moment;
use crate::contract::Route;
use crate::faults::FaultMark;
use crate::seed;
use crate::webhooks::WebhookEvent;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How an exchange ended, as seen at the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The whole answer was accepted by the kernel for delivery.
    Complete,
    /// The client closed or reset, or for long accepted no more bytes, before the answer was
    /// written; or closed before the end of its own request's body.
    ClientAbort,
    /// The mock reset or closed the connection, by a fault.
    ServerReset,
    /// The mock wrote only a part of the answer and closed, by a fault.
    Truncated,
    /// Still open when the recording stopped.
    Open,
}

impl End {
    /// Whether a whole answer with a 2xx or 304 status was written, and no fault made it doubtful.
    #[must_use]
    pub fn is_success(self, status: Option<u16>, doubtful: bool) -> bool {
        self == Self::Complete
            && !doubtful
            && status.is_some_and(|status| (200..300).contains(&status) || status == 304)
    }

    /// Whether it is a failure that every breaker must count: 5xx, reset, truncation, or the client's
    /// own timeout.
    #[must_use]
    pub fn is_definite_failure(self, status: Option<u16>) -> bool {
        match self {
            Self::Complete => status.is_some_and(|status| status >= 500),
            Self::ClientAbort | Self::ServerReset | Self::Truncated => true,
            Self::Open => false,
        }
    }
}

/// Where a credential stood in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyPlace {
    /// `Authorization: Bearer …`
    BearerHeader,
    /// Any other header.
    OtherHeader,
    /// The path of the URL.
    Path,
    /// The query of the URL.
    Query,
    /// The body.
    Body,
}

/// What a key was not good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Denied {
    /// It lacks the scope that the route asks for: 403.
    Scope,
    /// What was asked for belongs to another creator's account: 403.
    Account,
    /// It is a key of the other environment: 401.
    Environment,
}

/// A `Retry-After` as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryAfter {
    /// The header's value, to the letter.
    pub value: String,
    /// The form of the value.
    pub form: RetryAfterForm,
    /// The moment that it names; none when malformed. For delay-seconds this counts from the
    /// moment at which the answer's last byte was written, and is the last of all moments when
    /// their number is too large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

/// The forms of `Retry-After` (RFC 9110 section 10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryAfterForm {
    /// `delay-seconds`
    Seconds,
    /// `HTTP-date`
    Date,
    /// Neither.
    Malformed,
}

/// What one click in a delivery met at the mock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClickReceipt {
    /// The click's id.
    pub event_id: String,
    /// Hashes of handle, link and time, to notice a click that was altered on the way.
    pub payload: String,
    /// Status for this click: 202 for effect or repetition, otherwise a refusal, be it of this
    /// click or of the whole request (an injected 503, the limiter's 429, 401, 403); 0 when a
    /// fault on the connection kept the request from being processed.
    pub status: u16,
    /// True when this delivery had the effect; false for a repetition or refusal.
    pub effect: bool,
}

/// What one link in a write met at the mock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkReceipt {
    /// The link's id; `?` where something stood that is no link's id, as that may be anything.
    pub id: String,
    /// Hash of the fields that were to be written: [`crate::world::link_change::LinkChange::payload`].
    pub payload: String,
    /// Status for this link: 200 for an effect or a repetition, otherwise a refusal, be it of this
    /// link or of the whole request; 0 when a fault on the connection kept the request from being
    /// processed.
    pub status: u16,
    /// True when the link is not as it was before; false for a repetition or refusal.
    pub effect: bool,
}

/// What one page of a list of links held, and with what it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The links of which pages shall show each, in the order of the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// The others on this page of the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inactive: Vec<String>,
    /// Whether there are more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_more: bool,
    /// The cursor that it was asked for with.
    pub cursor_in: CursorIn,
    /// The cursor of the next page, which no other answer of the run names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Listed {
    /// A request with such a cursor, of which no answer says anything of links.
    #[must_use]
    pub fn met(cursor_in: CursorIn) -> Self {
        Self { cursor_in, ..Self::default() }
    }
}

/// What the cursor of a request was worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CursorIn {
    /// There was none: the first page.
    #[default]
    None,
    /// An earlier answer had handed it out for this list.
    Fresh,
    /// So it had, but it is not taken any more: 410.
    Expired,
    /// Nobody had handed it out for this list.
    Foreign,
}

/// What a registration of a webhook came to at the mock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationReceipt {
    /// The registration's id; that of an earlier one for the same address.
    pub id: String,
    /// Where deliveries go, without credentials.
    pub url: String,
    /// What it wants to hear of, in the order of the contract.
    pub events: Vec<WebhookEvent>,
}

/// What a click's payload consists of, in the order of its hashes.
pub const CLICK_PARTS: [&str; 3] = ["handle", "link_id", "occurred_at"];

/// Hashes of a click's handle, link and time, which visitors and mock both compute: for each the first
/// 8 hex digits of a SHA-256, with hyphens between them, so that a difference has a name. The same
/// [`instant`] has the same hash, however it is written.
#[must_use]
pub fn click_payload(handle: &str, link_id: &str, occurred_at: &str) -> String {
    let occurred_at = instant(occurred_at);
    let values = CLICK_PARTS.into_iter().zip([handle, link_id, &occurred_at]);
    let hashes =
        values.map(|(part, value)| hex::encode(&seed::derive(0, &["click", part, value])[..4]));
    hashes.collect::<Vec<_>>().join("-")
}

/// One spelling for all with which RFC 3339 writes an instant: in UTC, without needless zeros. Libraries
/// that parse and write a time drop zeros or add some, and put `+00:00` for `Z`. What is no such time
/// stays as it is.
#[must_use]
pub fn instant(written: &str) -> Cow<'_, str> {
    let parsed = written.parse::<jiff::Timestamp>();
    parsed.map_or(Cow::Borrowed(written), |instant| Cow::Owned(instant.to_string()))
}

/// One upstream exchange. Times are moments of the run's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Unique in the run, in order of arrival.
    pub id: u64,
    /// The connection, unique in the run.
    pub conn: u64,
    /// Position on that connection, from 0.
    pub conn_seq: u32,
    /// The method.
    pub method: String,
    /// Path and query, with credentials replaced by `[key]`.
    pub target: String,
    /// The route of the contract.
    pub route: Route,
    /// The creator, where the route names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// The `Host` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Label of the credential as of the request's arrival: `live` (the platform's present key),
    /// `previous` (rotated, within the overlap), `revoked` (after it), `test`, `creator` or, where
    /// there are keys of several creators, `creator:<handle>`, `issued` (another platform key),
    /// `unknown`, `absent`. Never the key itself.
    pub token: String,
    /// The key's id, as `/me` says it, where the key is known: labels move on in a rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Everywhere that an API key was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_places: Vec<KeyPlace>,
    /// Everywhere that a webhook secret or the vault's token was found, but for the body of a
    /// webhook's registration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_places: Vec<KeyPlace>,
    /// The `Accept` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<String>,
    /// The `Content-Type` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The `Idempotency-Key` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Bytes of request body.
    pub body_bytes: u64,
    /// The clicks that the body delivered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clicks: Vec<ClickReceipt>,
    /// What a list of links was asked for, and what of it the answer says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<Box<Listed>>,
    /// The writes of links that the request asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkReceipt>,
    /// The webhook that the request registered, whatever became of its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Box<RegistrationReceipt>>,
    /// Connection accepted.
    pub t_conn: Moment,
    /// First byte of the request head.
    pub t_head: Moment,
    /// Last byte of the request.
    pub t_req: Moment,
    /// First byte of the answer written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t_first: Option<Moment>,
    /// Last byte of the answer accepted by the kernel; only for [`End::Complete`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t_w: Option<Moment>,
    /// When the exchange was over, whatever way; for [`End::Open`] when recording stopped.
    pub t_end: Moment,
    /// How it ended.
    pub end: End,
    /// The status that was written, if a head was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The `Retry-After` that was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<RetryAfter>,
    /// The version in the body (of the profile), unique in the run for a creator's edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The nonce in the body, unique in the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The fault that decided the answer; added latency is listed too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultMark>,
    /// True when a fault bent the answer so that one client may rightly take it for a success and
    /// another for a failure: HTML or broken JSON with a 200, another content type, hostile strings,
    /// a head that lenient clients accept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
    /// True when the mock's own limiter refused: a 429 that no fault injected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over_limit: bool,
    /// What the key was not good for, where the mock itself refused it with 401 or 403.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<Denied>,
}

impl Exchange {
    /// When the client may first have known the outcome: last byte written, or the end.
    #[must_use]
    pub fn t_known(&self) -> Moment {
        self.t_w.unwrap_or(self.t_end)
    }

    /// A fault hit the connection before any request was read from it. It is evidence of what a
    /// client met, and no request.
    #[must_use]
    pub fn is_connection_only(&self) -> bool {
        self.method.is_empty() && !self.faults.is_empty()
    }

    /// As [`End::is_success`].
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.end.is_success(self.status, self.doubtful)
    }

    /// As [`End::is_definite_failure`].
    #[must_use]
    pub fn is_definite_failure(&self) -> bool {
        self.end.is_definite_failure(self.status)
    }
}
