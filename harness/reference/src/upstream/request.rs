//! What is asked of Linktree, and how each request looks.

use super::limiter::Lane;
use reqwest::Method;

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
}

impl Route {
    /// All, in the order of their discriminants.
    pub const ALL: [Self; 4] = [Self::Profile, Self::Links, Self::Click, Self::ClickBatch];

    /// The word in metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Links => "links",
            Self::Click => "click",
            Self::ClickBatch => "click_batch",
        }
    }

    /// Whose share of the rate limit it uses.
    pub fn lane(self) -> Lane {
        match self {
            Self::Profile | Self::Links => Lane::Pages,
            Self::Click | Self::ClickBatch => Lane::Clicks,
        }
    }

    pub(super) fn method(self) -> Method {
        match self.lane() {
            Lane::Pages => Method::GET,
            Lane::Clicks => Method::POST,
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
}

impl Call {
    /// A call without query, body or conditions.
    pub fn new(route: Route, path: String) -> Self {
        Self {
            route,
            prefix: Shape::PREFIX,
            path,
            query: Vec::new(),
            if_none_match: None,
            idempotency_key: None,
            body: None,
        }
    }
}

/// Where the API key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlacement {
    /// In `Authorization` only.
    Header,
    /// In the query as well, for all logs on the way to read.
    HeaderAndQuery,
}

/// How requests look, by route.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Where the key stands.
    pub key: fn(Route) -> KeyPlacement,
    /// Whether `Accept` is sent.
    pub accept: fn(Route) -> bool,
    /// Whether a body is sent with its `Content-Type`.
    pub content_type: fn(Route) -> bool,
    /// Prefixes to try in order while the answer is 404; one, in a sane service.
    pub prefixes: fn(Route) -> &'static [&'static str],
}

impl Shape {
    /// The version of the API.
    pub const PREFIX: &'static str = "/v1";
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            key: |_| KeyPlacement::Header,
            accept: |_| true,
            content_type: |_| true,
            prefixes: |_| &[Self::PREFIX],
        }
    }
}
