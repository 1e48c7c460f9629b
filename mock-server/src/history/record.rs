//! Everything that the mock sees and does, as records on one clock, and where they go.

use crate::clock::Moment;
use crate::faults::FaultMark;
use crate::history::exchange::Exchange;
use crate::world::WorldEvent;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// The vault was asked.
    SecretRead(SecretRead),
    /// An alert came in.
    Alert(Alert),
    /// Something happened in the world: a page was edited, a key rotated.
    World(Happened),
    /// The mock ran out of something.
    Overload(Overload),
}

/// The name of every event, as it stands in a record's JSON.
pub const EVENTS: &[&str] =
    &["exchange", "delivery", "reachability", "secret-read", "alert", "world", "overload"];

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
    /// The event, such as `link.clicked`.
    pub event: String,
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

/// A read of the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRead {
    /// When.
    pub at: Moment,
    /// The path that was read.
    pub path: String,
    /// The answer's status.
    pub status: u16,
    /// The version that was handed out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
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
    /// `startsAt` as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<String>,
    /// `endsAt` as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
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
}

/// The mock could not do its work: never to be blamed on the integration under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overload {
    /// When.
    pub at: Moment,
    /// What was exhausted, in words.
    pub what: String,
}
