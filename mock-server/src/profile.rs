//! The contract profile: the assumed limits and names of Linktree, as data.

use crate::keyring::Environment;
use crate::ranges::{self, OutOfRange};
use crate::webhooks::SchemeName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The built-in profile's text, which is also its documentation.
pub const LINKTREE_V1: &str = include_str!("../profiles/linktree-v1.toml");

/// A contract profile, all durations in contract time (before the time scale).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractProfile {
    /// Name and version, such as `linktree-v1`.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// True while nobody has published the contract: reports must say so.
    pub assumed: bool,
    /// The server's own rate limit.
    pub limit: Limit,
    /// What `Cache-Control` says on profiles.
    pub cache: Cache,
    /// Cursor pages of links.
    pub pages: Pages,
    /// What may stand in a link.
    pub links: LinkLimits,
    /// Batched writes.
    pub batch: Batch,
    /// Analytics queries.
    pub analytics: Analytics,
    /// What is remembered of deliveries.
    pub idempotency: Idempotency,
    /// How errors are written.
    pub errors: Errors,
    /// API keys.
    pub keys: Keys,
    /// The vault that hands credentials out.
    #[serde(default)]
    pub vault: Vault,
    /// Deliveries to the integration.
    pub webhooks: Webhooks,
    /// Numbers that guarantees promise otherwise than by default, by guarantee and bound. The mock
    /// reads none of them; whoever judges knows their names and checks them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(skip)]
    pub promises: BTreeMap<String, BTreeMap<String, u64>>,
}

/// The server's rate limit: `requests` in any sliding `window_ms`, for each key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Requests admitted in one window.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub requests: u32,
    /// Length of the sliding window, contract milliseconds.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub window_ms: u64,
    /// Header that names the limit.
    #[schemars(length(min = 1, max = 64))]
    pub limit_header: String,
    /// Header that names what remains.
    #[schemars(length(min = 1, max = 64))]
    pub remaining_header: String,
    /// Header that names the reset.
    #[schemars(length(min = 1, max = 64))]
    pub reset_header: String,
    /// What the reset header holds.
    pub reset_form: ResetForm,
    /// Whether `RateLimit` and `RateLimit-Policy` are sent as well.
    pub ietf_headers: bool,
}

/// The form of the reset header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResetForm {
    /// Whole seconds from now.
    DeltaSeconds,
    /// Seconds since the Unix epoch.
    EpochSeconds,
}

/// Cache directives of profiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// `max-age`, contract seconds; see [`Cache::max_age_on_the_wire`].
    #[schemars(range(min = 0, max = 31_536_000))]
    pub max_age_s: u32,
    /// `stale-if-error` (RFC 5861 section 4), real seconds.
    #[schemars(range(min = 0, max = 31_536_000))]
    pub stale_if_error_s: u32,
}

impl Cache {
    /// `max-age` as it is sent: divided by the time scale, so that a page is asked for equally often in
    /// a limit window, and rounded up to the whole seconds that a directive is made of.
    #[must_use]
    pub const fn max_age_on_the_wire(&self, time_scale: u32) -> u32 {
        self.max_age_s.div_ceil(if time_scale == 0 { 1 } else { time_scale })
    }
}

/// Cursor pagination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// Links on a page when the caller does not say.
    #[schemars(range(min = 1, max = 10_000))]
    pub default_limit: u32,
    /// The most that a caller may ask for.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_limit: u32,
    /// A cursor is taken for so long after it was given out, contract milliseconds; then 410.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub cursor_ttl_ms: u64,
    /// So many of a thousand pages, by lot, hold fewer links than asked for, although more follow.
    #[schemars(range(min = 0, max = 1_000))]
    pub short_per_mille: u32,
}

/// What may stand in a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkLimits {
    /// Characters of a title at the most.
    #[schemars(range(min = 1, max = 100_000))]
    pub title_chars: u32,
    /// Bytes of a URL at the most.
    #[schemars(range(min = 1, max = 100_000))]
    pub url_bytes: u32,
    /// Positions are smaller than this.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub positions: u32,
}

/// Analytics queries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Analytics {
    /// An answer takes so long by design, contract milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub latency_ms: u64,
    /// Days that one query may cover.
    #[schemars(range(min = 1, max = 36_600))]
    pub max_days: u32,
}

/// Batched writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Items in one batch at the most.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_items: u32,
}

/// What is remembered of deliveries, so that a repeated one has no second effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    /// So many event ids, idempotency keys, and links by day are remembered, each; the oldest are
    /// forgotten first. A full million of each was measured at 333 MB, of which links by day, which
    /// are seldom so many, took 152 MB.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub retained: u32,
}

/// Error bodies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Whether errors are `application/problem+json` (RFC 9457).
    pub problem_json: bool,
}

/// API keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Prefix of keys for the production base URL.
    #[schemars(length(min = 1, max = 32))]
    pub live_prefix: String,
    /// Prefix of keys for staging.
    #[schemars(length(min = 1, max = 32))]
    pub test_prefix: String,
    /// Scopes granted to the integration's key.
    #[schemars(length(max = 32), inner(length(max = 64)))]
    pub scopes: Vec<String>,
    /// The environment that is served: the base URL takes its keys, and refuses those of the other.
    #[serde(default, skip_serializing_if = "Environment::is_live")]
    pub environment: Environment,
    /// Age of the first keys when a run begins, days of real time.
    #[serde(default = "ten_days")]
    #[schemars(range(min = 0, max = 3_660))]
    pub age_days: u32,
}

/// Old enough to be no newcomer, and far from the 90 days at which a key should be replaced.
const fn ten_days() -> u32 {
    10
}

/// The vault's tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// A token lives for so long after its login, or after a renewal that names no other time; real
    /// seconds. The run's own lives from when it is first shown.
    #[schemars(range(min = 1, max = 31_536_000))]
    pub token_ttl_s: u32,
    /// Renewals end so long after the login, real seconds.
    #[schemars(range(min = 1, max = 31_536_000))]
    pub token_max_ttl_s: u32,
}

impl Default for Vault {
    fn default() -> Self {
        // 32 days each: what HashiCorp's Vault takes where nobody says otherwise (`default_lease_ttl`
        // and `max_lease_ttl` in its documentation of the configuration).
        Self { token_ttl_s: 2_764_800, token_max_ttl_s: 2_764_800 }
    }
}

/// Webhooks: how they are signed, and when they are sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// The signature scheme.
    #[schemars(with = "String")]
    pub scheme: SchemeName,
    /// How far a timestamp may be from now, either way, real seconds.
    #[schemars(range(min = 0, max = 86_400))]
    pub tolerance_s: u32,
    /// How long an attempt waits for the head of an answer, contract milliseconds.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub timeout_ms: u64,
    /// Pauses between the attempts, contract milliseconds; their number is that of the retries.
    #[schemars(length(max = 32), inner(range(min = 0, max = 604_800_000)))]
    pub retry_ms: Vec<u64>,
    /// The `Content-Type` of deliveries: each message has the next of these, in all its attempts.
    #[serde(default = "json_types")]
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 128)))]
    pub content_types: Vec<String>,
    /// Answers that disable the registration.
    #[schemars(length(max = 100), inner(range(min = 200, max = 599)))]
    pub disable_on: Vec<u16>,
}

/// The media type alone, and with the parameter that many senders write beside it.
fn json_types() -> Vec<String> {
    ["application/json", "application/json; charset=utf-8"].map(str::to_owned).to_vec()
}

impl Webhooks {
    /// The `Content-Type` of the message of this number, counted from 0.
    #[must_use]
    pub fn content_type(&self, number: u64) -> &str {
        let types = &self.content_types;
        let turn = usize::try_from(number % (types.len().max(1) as u64)).unwrap_or_default();
        types.get(turn).map_or("application/json", String::as_str)
    }
}

impl ContractProfile {
    /// The built-in `linktree-v1`.
    ///
    /// # Panics
    ///
    /// Never in a released build: a test parses the built-in text.
    #[must_use]
    pub fn linktree_v1() -> Self {
        toml::from_str(LINKTREE_V1).expect("the built-in profile parses")
    }

    /// A contract duration in real time under a time scale; a scale of 0 counts as 1.
    #[must_use]
    pub fn scaled(ms: u64, time_scale: u32) -> Duration {
        Duration::from_millis(ms) / time_scale.max(1)
    }

    /// Everything that is wrong with the values: numbers out of range, and names that cannot stand in
    /// a header or a key.
    #[must_use]
    pub fn wrong(&self) -> Vec<OutOfRange> {
        let mut found = ranges::outside(self);
        let mut unless = |right: bool, path: &str, value: &str, fix: &str| {
            if !right {
                found.push(OutOfRange::new(path, format!("{value:?} cannot be used"), fix));
            }
        };
        let of = |text: &str, more: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(char::from(byte)))
        };
        unless(of(&self.name, "._-"), "name", &self.name, "use letters, digits, dot, _ and -");
        let Limit { limit_header, remaining_header, reset_header, .. } = &self.limit;
        for (path, name) in [
            ("limit.limit_header", limit_header),
            ("limit.remaining_header", remaining_header),
            ("limit.reset_header", reset_header),
        ] {
            unless(of(name, "_-"), path, name, "name a header: letters, digits, _ and -");
        }
        let Keys { live_prefix, test_prefix, scopes, .. } = &self.keys;
        for (path, prefix) in [("keys.live_prefix", live_prefix), ("keys.test_prefix", test_prefix)]
        {
            unless(of(prefix, "_-"), path, prefix, "use letters, digits, _ and -");
        }
        let differ = live_prefix != test_prefix;
        unless(differ, "keys.test_prefix", test_prefix, "let it differ from live_prefix");
        for scope in scopes {
            unless(of(scope, "._:-"), "keys.scopes", scope, "write it as in links:read");
        }
        for kind in &self.webhooks.content_types {
            let fix = "write it as in application/json; charset=utf-8";
            let visible = kind.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            let right = visible && kind.trim() == kind && kind.contains('/');
            unless(right, "webhooks.content_types", kind, fix);
        }
        let Pages { default_limit, max_limit, .. } = self.pages;
        let fix = "let it be at most max_limit";
        unless(default_limit <= max_limit, "pages.default_limit", &default_limit.to_string(), fix);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profile_parses_and_is_called_assumed() {
        let profile = ContractProfile::linktree_v1();
        assert_eq!(profile.name, "linktree-v1");
        assert!(profile.assumed);
        assert!(profile.promises.is_empty(), "the defaults stand with the guarantees");
    }

    #[test]
    fn names_that_no_header_or_key_can_hold_are_refused() {
        let check = |adapt: fn(&mut ContractProfile), expected: &str| {
            let mut profile = ContractProfile::linktree_v1();
            assert_eq!(profile.wrong(), []);
            adapt(&mut profile);
            let found: Vec<_> = profile.wrong().into_iter().map(|wrong| wrong.path).collect();
            assert_eq!(found, [expected]);
        };
        check(|profile| profile.limit.reset_header = "x\r\ny: z".into(), "limit.reset_header");
        check(|profile| profile.keys.live_prefix = "lt live".into(), "keys.live_prefix");
        check(|profile| profile.keys.test_prefix = "lt_live_".into(), "keys.test_prefix");
        check(|profile| profile.keys.scopes = vec!["a b".into()], "keys.scopes");
        check(|profile| profile.name = "\u{1b}[31m".into(), "name");
        check(|profile| profile.pages.default_limit = 101, "pages.default_limit");
        let types = "webhooks.content_types";
        check(|profile| profile.webhooks.content_types = vec!["a/b\r\nc: d".into()], types);
        check(|profile| profile.webhooks.content_types = vec!["json".into()], types);
        check(|profile| profile.webhooks.content_types = vec![], types);
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let text = LINKTREE_V1.replace("ietf_headers", "ietf_haeders");
        let error = toml::from_str::<ContractProfile>(&text).unwrap_err().to_string();
        assert!(error.contains("ietf_haeders"), "{error}");
    }
}
