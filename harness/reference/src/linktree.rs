//! The words in which this service speaks of Linktree: what is asked, what comes back, what bars.
//!
//! The ground floor: whoever calls, counts or shows something of Linktree uses these, and they use
//! nothing of this service.

use reqwest::{Method, header::HeaderMap};
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// The version of the API, between the base address and every path.
pub const VERSION_PREFIX: &str = "/v1";

/// Whether Linktree could know this handle at all: `[a-z0-9._-]{1,30}`.
pub fn is_handle(text: &str) -> bool {
    (1..=30).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
}

/// Who shares the rate limit of the one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// What people look at, pages and figures, and what is asked of the account: the cap less the slots
    /// reserved for clicks.
    Pages,
    /// What was acknowledged and must arrive, clicks and campaigns: the whole cap. A campaign is a few calls,
    /// and a page that is not filled in time is asked for again; so pages wait for campaigns, not they for
    /// pages.
    Clicks,
}

/// The routes of the contract that this service calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Route {
    /// `GET /profiles/{handle}`
    Profile,
    /// `GET /profiles/{handle}/links`
    Links,
    /// `POST /clicks`
    Click,
    /// `POST /clicks/batch`
    ClickBatch,
    /// `PATCH /links/{id}`
    Link,
    /// `POST /links/batch`
    LinkBatch,
    /// `GET /analytics/{handle}`
    Analytics,
    /// `GET /me`
    Me,
    /// `GET /webhooks`
    Webhooks,
    /// `POST /webhooks`
    Register,
}

impl Route {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; 10] = [
        Self::Profile,
        Self::Links,
        Self::Click,
        Self::ClickBatch,
        Self::Link,
        Self::LinkBatch,
        Self::Analytics,
        Self::Me,
        Self::Webhooks,
        Self::Register,
    ];

    /// The word in metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Links => "links",
            Self::Click => "click",
            Self::ClickBatch => "click_batch",
            Self::Link => "link",
            Self::LinkBatch => "link_batch",
            Self::Analytics => "analytics",
            Self::Me => "me",
            Self::Webhooks => "webhooks",
            Self::Register => "webhook_register",
        }
    }

    /// Whose share of the rate limit it uses.
    pub fn lane(self) -> Lane {
        match self {
            Self::Profile
            | Self::Links
            | Self::Analytics
            | Self::Me
            | Self::Webhooks
            | Self::Register => Lane::Pages,
            Self::Click | Self::ClickBatch | Self::Link | Self::LinkBatch => Lane::Clicks,
        }
    }

    /// How it is asked.
    pub fn method(self) -> Method {
        match self {
            Self::Profile | Self::Links | Self::Analytics | Self::Me | Self::Webhooks => {
                Method::GET
            }
            Self::Link => Method::PATCH,
            Self::Click | Self::ClickBatch | Self::LinkBatch | Self::Register => Method::POST,
        }
    }
}

/// One logical request; its attempts are all alike.
#[derive(Clone, Debug)]
pub struct Call {
    /// The route.
    pub route: Route,
    /// Between the base address and the path.
    pub prefix: &'static str,
    /// The path under the prefix, with its slash.
    pub path: String,
    /// Query parameters, not yet encoded.
    pub query: Vec<(&'static str, String)>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// A JSON body.
    pub body: Option<Vec<u8>>,
    /// When all attempts must be over, if not each for itself.
    pub deadline: Option<Instant>,
}

impl Call {
    /// A call without query, body or conditions.
    pub fn new(route: Route, path: String) -> Self {
        Self {
            route,
            prefix: VERSION_PREFIX,
            path,
            query: Vec::new(),
            if_none_match: None,
            idempotency_key: None,
            body: None,
            deadline: None,
        }
    }
}

/// A complete 2xx or 304.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
    /// How long the head took to come.
    pub head_after: Duration,
}

#[derive(Deserialize)]
struct Results<T> {
    results: Vec<T>,
}

impl Answer {
    /// The status of each item in the answer to a batch, of which `of` says what it is called; what is not in it is
    /// not known.
    pub fn of_items<T: DeserializeOwned>(
        &self,
        of: fn(T) -> (String, u16),
    ) -> HashMap<String, u16> {
        match serde_json::from_slice::<Results<T>>(&self.body) {
            Ok(batch) => batch.results.into_iter().map(of).collect(),
            Err(error) => {
                // The parser's own words quote the answer, so only the place is logged.
                let (line, column) = (error.line(), error.column());
                tracing::warn!(line, column, "the answer to a batch makes no sense");
                HashMap::new()
            }
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing was sent.
    #[error("not sent: {0:?}")]
    Barred(Barrier),
    /// The time limit of the attempt passed.
    #[error("no complete answer in time")]
    Timeout,
    /// No connection, or one that broke before the end of the body.
    #[error("the connection failed")]
    Connection,
    /// A status that is neither 2xx nor 304.
    #[error("status {0}")]
    Status(u16),
    /// A 2xx whose body makes no sense.
    #[error("the answer makes no sense")]
    Malformed,
}

impl Failure {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Timeout | Self::Connection | Self::Status(429 | 500..))
    }

    /// Whether a status says of one item that it will never be taken. A key can be rotated, a limit passes, a
    /// request can be mended: such items wait.
    pub fn refuses_item(status: u16) -> bool {
        matches!(status, 404 | 409 | 410 | 422)
    }

    /// Whether a status says of a batch that it is not well made.
    pub fn refuses_batch(status: u16) -> bool {
        matches!(status, 400..=499) && !matches!(status, 401 | 403 | 408 | 425 | 429)
    }

    /// Whether this speaks of a broken upstream: 5xx, timeout, connection.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Timeout | Self::Connection | Self::Status(500..))
    }
}

/// Why an attempt was not sent, and when to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// A `Retry-After` is in force.
    RetryAfter(Instant),
    /// The breaker is open, or its probes are out.
    CircuitOpen(Instant),
    /// The limiter is full.
    RateLimit(Instant),
}

impl Barrier {
    /// When to ask again.
    pub fn until(self) -> Instant {
        match self {
            Self::RetryAfter(at) | Self::CircuitOpen(at) | Self::RateLimit(at) => at,
        }
    }

    /// How long it is until then.
    pub fn rest(self, now: Instant) -> Duration {
        self.until().saturating_duration_since(now)
    }
}
