//! What the harness saw of the integration beside its answers: its log, processes, metrics, and
//! whether it calls the mock at all.
//!
//! Whatever was planted in a run (credentials, creators' e-mails, visitors' addresses) is looked for
//! while it is seen, and never recorded: a [`Leak`] says what came to light where.

use crate::history::OpFailure;
use mock_server::clock::Moment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A planted value that must not come to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Canary {
    /// A key for Linktree, live or test.
    ApiKey,
    /// A secret that signs webhooks.
    WebhookSecret,
    /// The token that opens the vault.
    VaultToken,
    /// The secret that signs creators' sessions.
    SessionSecret,
    /// A creator's private address.
    Email,
    /// A visitor's network address.
    VisitorAddress,
}

impl Canary {
    /// Whether whoever knows it can act in somebody's name; the others are personal data.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        !matches!(self, Self::Email | Self::VisitorAddress)
    }

    /// In words, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::ApiKey => "an API key",
            Self::WebhookSecret => "a webhook secret",
            Self::VaultToken => "the vault's token",
            Self::SessionSecret => "the session secret",
            Self::Email => "a creator's e-mail",
            Self::VisitorAddress => "a visitor's address",
        }
    }

    /// What stands in its place in everything that Windthrow writes.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::ApiKey => mock_server::redact::REDACTED,
            Self::WebhookSecret | Self::VaultToken | Self::SessionSecret => "[secret]",
            Self::Email => "[email]",
            Self::VisitorAddress => "[address]",
        }
    }
}

/// Where something came to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Standard output or error, or a declared log file.
    Log,
    /// The head or body of an answer at the front door.
    Answer,
    /// The answer to a scrape of the metrics.
    Metrics,
    /// The environment of a process.
    Environment,
    /// The command line of a process.
    CommandLine,
    /// A file of the declared source tree.
    Source,
}

impl Place {
    /// In words, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Log => "the log",
            Self::Answer => "an answer",
            Self::Metrics => "the metrics",
            Self::Environment => "an environment",
            Self::CommandLine => "a command line",
            Self::Source => "the source tree",
        }
    }
}

/// A planted value came to light.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// When it was seen.
    pub at: Moment,
    /// Where.
    pub place: Place,
    /// Where exactly: a stream or file, a route with its status, a variable's name.
    pub source: String,
    /// And there: a line, a creator; empty where there is no more to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub spot: String,
    /// What.
    pub canary: Canary,
    /// Whose it is, for personal data of a creator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whose: Option<String>,
    /// What stood around it, with everything that was planted taken out.
    pub excerpt: String,
}

/// How much was searched for what was planted; written once, at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scanned {
    /// When.
    pub at: Moment,
    /// Whether anything that the integration logs could be seen.
    pub captures_log: bool,
    /// Log lines.
    pub log_lines: u64,
    /// Of which were seen after the first answer at the front door.
    pub lines_since_visits: u64,
    /// Of which name a creator or a click of this run: the control marker which shows that this is
    /// the log of what visitors do (predicates B10).
    pub marked_lines: u64,
    /// Answers at the front door.
    pub answers: u64,
    /// Scrapes of the metrics.
    pub scrapes: u64,
    /// Files of the declared source tree.
    pub source_files: u64,
    /// Leaks, also those that were too many to be recorded one by one.
    pub leaks: u64,
    /// What should have been searched and could not be, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<(Place, String)>,
}

impl Scanned {
    /// What of a place could not be searched; nothing when all of it was.
    #[must_use]
    pub fn unseen_of(&self, place: Place) -> Option<&str> {
        self.unseen.iter().find(|unseen| unseen.0 == place).map(|unseen| unseen.1.as_str())
    }
}

/// How a webhook that nobody could process is kept, as far as the sink shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptForm {
    /// With its body, byte for byte.
    Raw,
    /// With the same JSON.
    Json,
    /// With its body in base64, in hex, or escaped in a text.
    Encoded,
    /// Its id is there, and its body is not.
    IdOnly,
    /// Nothing of it is there.
    Absent,
}

impl KeptForm {
    /// Whether it can be processed later from what is there.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        match self {
            Self::Raw | Self::Json | Self::Encoded => true,
            Self::IdOnly | Self::Absent => false,
        }
    }

    /// In words, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Raw => "kept byte for byte",
            Self::Json => "kept as the same JSON",
            Self::Encoded => "kept in an encoding",
            Self::IdOnly => "named without its payload",
            Self::Absent => "not kept",
        }
    }
}

/// A look into the sink of failed webhooks found this of one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// When the sink had been read.
    pub at: Moment,
    /// The delivery's id as it was sent.
    pub delivery_id: String,
    /// What was found.
    pub form: KeptForm,
    /// Whether this was the last look of all, before the target was ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
}

/// A process of the integration was looked into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// When.
    pub at: Moment,
    /// The process.
    pub pid: u32,
    /// Its command line, with everything that was planted taken out.
    pub command: String,
    /// Variables in its environment; none when it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variables: Option<u64>,
}

/// What the integration's processes held at a moment, all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// When.
    pub at: Moment,
    /// How many processes there were.
    pub processes: u32,
    /// Resident memory, bytes; what processes share counts for each of them.
    pub resident_bytes: u64,
    /// Open files and sockets; none where they may not be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
}

/// The metrics were scraped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scrape {
    /// When it was asked for.
    pub sent: Moment,
    /// Last byte of the answer, or when it was given up.
    pub last: Moment,
    /// The status; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no whole answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<OpFailure>,
    /// What it says, as far as guarantees read it.
    #[serde(default)]
    pub figures: Figures,
    /// What had been pushed by then, where metrics are pushed: it was all counted that ended before `sent`,
    /// and nothing that began after `last`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<Pushed>,
}

/// How much has come to a receiver of metrics since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pushed {
    /// Datagrams and requests.
    pub messages: u64,
    /// Lines of datagrams and requests that nobody can read.
    pub malformed: u64,
    /// What can be read and is no metric, or one of a kind that no guarantee reads.
    pub ignored: u64,
    /// Datagrams that the system has thrown away unread.
    pub lost: u64,
}

impl Scrape {
    /// Whether there was a whole answer with 200.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.failure.is_none() && self.status == Some(200)
    }
}

/// The figures that guarantees read; absent ones are not exposed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// Upstream requests that timed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<f64>,
    /// Upstream requests that were refused for their key or its scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_errors: Option<f64>,
    /// Page views served from the cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_hits: Option<f64>,
    /// Page views that needed a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_misses: Option<f64>,
    /// Page views served from an expired page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_stale: Option<f64>,
    /// Durations of upstream requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Histogram>,
    /// The age of the key in use, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_age: Option<f64>,
    /// How long clicks have waited, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click_lag: Option<f64>,
    /// How long clicks had waited when they were delivered, where that is a histogram.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click_lags: Option<Histogram>,
    /// Upstream requests in the limit's window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_used: Option<f64>,
    /// Why one that is there cannot be told, by its key in `[observe.metrics]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, String>,
}

impl Figures {
    /// Everything that only ever grows while a process lives, with its name in words.
    #[must_use]
    pub fn counters(&self) -> [(&'static str, Option<f64>); 6] {
        // The age of a key falls with each rotation.
        let Self { timeouts, auth_errors, cache_hits, cache_misses, cache_stale, latency, .. } =
            self;
        [
            ("timeouts", *timeouts),
            ("authentication errors", *auth_errors),
            ("cache hits", *cache_hits),
            ("cache misses", *cache_misses),
            ("expired pages", *cache_stale),
            ("calls in the histogram", latency.as_ref().map(|latency| latency.count)),
        ]
    }
}

/// A cumulative histogram of seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Upper bound in seconds, and observations up to it; in order, without the infinite one.
    pub buckets: Vec<(f64, f64)>,
    /// All observations.
    pub count: f64,
}

/// One visit through the integration before the storm, which must arrive at the mock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// When the page was asked for.
    pub sent: Moment,
    /// When the answer was there, or was given up.
    pub last: Moment,
    /// Its status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Upstream requests for that very page.
    pub arrived: u64,
    /// All upstream requests since the start.
    pub requests: u64,
    /// What the visitor missed that judges need, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
}

/// The id of the click that is made before a storm begins with this. No judge sees it: it belongs to
/// nobody's plan.
pub const FIRST_CLICK: &str = "windthrow-first-";

/// What this machine can do, measured before the storm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headroom {
    /// Answers a second that a client and a server of this machine exchange over loopback.
    pub exchanges_per_s: u64,
    /// Files and sockets that this process may have open.
    pub open_files: u64,
}
