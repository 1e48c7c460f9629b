//! What can happen in the mock's world: at planned times, or when somebody steers it.
//!
//! A new kind is a variant of [`WorldEvent`] with its arms and its example below, and an arm in
//! [`super::World::happen`], which does it; the compiler names the other places. `GrantScopes` is
//! the smallest example.

use super::edits::{MAX_COUNT, PageChange};
use super::population::Population;
use crate::contract::SCOPES;
use crate::faults::Mistake;
use crate::webhooks::WebhookEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest that what is replaced or expires is good for yet, real milliseconds: a day.
pub const MAX_OVERLAP_MS: u64 = 86_400_000;

/// One thing that happens in the world at a planned time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimedEvent {
    /// Real milliseconds since the traffic began.
    #[schemars(range(min = 0, max = u64::MAX))]
    pub at_ms: u64,
    /// What happens.
    pub event: WorldEvent,
}

/// One thing that can happen in the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum WorldEvent {
    /// Creators change their pages: from now on they have a new version.
    Edit {
        /// A handle, or a prefix of handles ending in `*`.
        #[schemars(length(max = 64))]
        handles: String,
        /// What changes on each of these pages; their texts when left out.
        #[serde(default, skip_serializing_if = "PageChange::is_text")]
        change: PageChange,
    },
    /// A new API key takes the place of the present one: in the vault at once, and on the wire
    /// beside the old one during the overlap. After that the old one gets 401.
    RotateKey {
        /// How long the old key works on, real milliseconds.
        #[schemars(range(min = 0, max = MAX_OVERLAP_MS))]
        overlap_ms: u64,
    },
    /// A new webhook secret takes the place of the present one: in the vault at once, and in
    /// signatures beside the old one during the overlap.
    RotateWebhookSecret {
        /// How long the old secret signs, too; real milliseconds.
        #[schemars(range(min = 0, max = MAX_OVERLAP_MS))]
        overlap_ms: u64,
    },
    /// The platform's keys are good for these scopes, and no others. Keys of later rotations are
    /// good for the same.
    GrantScopes {
        /// The scopes.
        #[schemars(length(max = 32))]
        scopes: Vec<String>,
    },
    /// The vault's tokens expire, the run's own and those of logins: whoever shows one is told 403
    /// until it has logged in again. Later logins get tokens of the usual lifetime.
    ExpireVaultTokens {
        /// How long they live yet, real milliseconds; a renewal in time gives them more.
        #[serde(default)]
        #[schemars(range(min = 0, max = MAX_OVERLAP_MS))]
        left_ms: u64,
    },
    /// Nobody is registered for webhooks any more, as if an account's settings had been reset: whoever
    /// wants to hear of something must register anew.
    ForgetWebhooks {},
    /// A webhook is sent to everybody who is registered for its event.
    SendWebhook {
        /// What it is about.
        event: WebhookEvent,
        /// Whom it is about.
        #[schemars(length(max = 64))]
        handle: String,
        /// What it says besides; `handle` and `nonce` are the mock's.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        data: Map<String, Value>,
    },
}

/// Why something did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// A setting makes no sense.
    #[error("failed to let {kind} happen: {}: {} ({})", .mistake.key, .mistake.what, .mistake.fix)]
    Setting {
        /// The event's kind.
        kind: &'static str,
        /// What is wrong.
        mistake: Mistake,
    },
    /// Each edit is replayed for each read, so they cannot be without number.
    #[error(
        "failed to edit {handles:?}: pages were edited {} times beside the plan; reset the mock \
         between tests",
        super::edits::MAX_STEERED
    )]
    TooManyEdits {
        /// Whose pages.
        handles: String,
    },
}

impl WorldEvent {
    /// The event's name, as in a plan file.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Edit { .. } => "edit",
            Self::RotateKey { .. } => "rotate-key",
            Self::RotateWebhookSecret { .. } => "rotate-webhook-secret",
            Self::GrantScopes { .. } => "grant-scopes",
            Self::ExpireVaultTokens { .. } => "expire-vault-tokens",
            Self::ForgetWebhooks {} => "forget-webhooks",
            Self::SendWebhook { .. } => "send-webhook",
        }
    }

    /// What is wrong with the settings, where these creators live.
    #[must_use]
    pub fn mistakes(&self, population: &Population) -> Vec<Mistake> {
        match self {
            Self::Edit { handles, change } => nobody("handles", population, handles)
                .into_iter()
                .chain(idle_or_endless(*change))
                .collect(),
            Self::RotateKey { overlap_ms } | Self::RotateWebhookSecret { overlap_ms } => {
                endless("overlap_ms", *overlap_ms, "let the old one work for a day at most")
                    .into_iter()
                    .collect()
            }
            Self::ExpireVaultTokens { left_ms } => {
                endless("left_ms", *left_ms, "let them live for a day at most")
                    .into_iter()
                    .collect()
            }
            Self::ForgetWebhooks {} => Vec::new(),
            Self::GrantScopes { scopes } => scopes.iter().filter_map(|one| no_scope(one)).collect(),
            Self::SendWebhook { handle, .. } => {
                let absent = !population.contains(handle);
                let what = || format!("nobody has the handle {handle:?}");
                absent.then(|| Mistake::new("handle", what(), ONE_HANDLE)).into_iter().collect()
            }
        }
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`WorldError::Setting`] for the first mistake.
    pub fn check(&self, population: &Population) -> Result<(), WorldError> {
        match self.mistakes(population).into_iter().next() {
            Some(mistake) => Err(WorldError::Setting { kind: self.kind(), mistake }),
            None => Ok(()),
        }
    }

    /// Whether a credential takes the place of another.
    pub(crate) const fn rotates(&self) -> bool {
        matches!(self, Self::RotateKey { .. } | Self::RotateWebhookSecret { .. })
    }

    /// The event as it may be recorded: what a webhook says may be anything, also a secret.
    pub(crate) fn recorded(self) -> Self {
        match self {
            Self::SendWebhook { event, handle, data: _ } => {
                Self::SendWebhook { event, handle, data: Map::new() }
            }
            Self::Edit { .. }
            | Self::RotateKey { .. }
            | Self::RotateWebhookSecret { .. }
            | Self::GrantScopes { .. }
            | Self::ExpireVaultTokens { .. }
            | Self::ForgetWebhooks {} => self,
        }
    }
}

const ONE_HANDLE: &str = "name one creator, such as page-0001";

fn nobody(key: &'static str, population: &Population, pattern: &str) -> Option<Mistake> {
    let fix = "name a handle such as page-0001, or a prefix such as page-*";
    let what = || format!("nobody is called {pattern:?}");
    (!population.has_anybody(pattern)).then(|| Mistake::new(key, what(), fix))
}

fn idle_or_endless(change: PageChange) -> Option<Mistake> {
    let (key, count) = ("change.count", change.count()?);
    if count > MAX_COUNT {
        let what = format!("{count} links come or go on each page");
        return Some(Mistake::new(key, what, "choose at most 1000"));
    }
    (count == 0).then(|| Mistake::new(key, "no link comes or goes", "choose at least 1"))
}

fn endless(key: &'static str, ms: u64, fix: &'static str) -> Option<Mistake> {
    let what = || format!("{ms} ms is more than a day");
    (ms > MAX_OVERLAP_MS).then(|| Mistake::new(key, what(), fix))
}

fn no_scope(scope: &str) -> Option<Mistake> {
    let what = || format!("the contract has no scope {scope:?}");
    let fix = "choose from profile:read, links:read, links:write, clicks:write, analytics:read and \
               webhooks:write";
    (!SCOPES.contains(&scope)).then(|| Mistake::new("scopes", what(), fix))
}

#[cfg(test)]
impl WorldEvent {
    /// One of each kind, in the order of the variants.
    pub(crate) fn examples() -> Vec<Self> {
        let (event, handle) = (WebhookEvent::LinkClicked, "a-0001".to_owned());
        let all = vec![
            Self::Edit { handles: "a-*".to_owned(), change: PageChange::Text },
            Self::RotateKey { overlap_ms: 60_000 },
            Self::RotateWebhookSecret { overlap_ms: 60_000 },
            Self::GrantScopes { scopes: vec!["links:read".to_owned()] },
            Self::ExpireVaultTokens { left_ms: 0 },
            Self::SendWebhook { event, handle, data: Map::new() },
            // Whoever is forgotten is sent nothing.
            Self::ForgetWebhooks {},
        ];
        let kinds: std::collections::BTreeSet<_> = all.iter().map(Self::kind).collect();
        assert_eq!(kinds.len(), 7, "each kind has one example");
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::population::Group;
    use super::*;

    fn check(json: &str, keys: &[&str]) {
        let event: WorldEvent = serde_json::from_str(json).unwrap();
        assert!(json.contains(&format!("{{\"kind\":\"{}\"", event.kind())), "{json}");
        assert_eq!(serde_json::to_string(&event).unwrap(), json);
        let group =
            Group { prefix: "a".into(), count: 2, min_links: 1, max_links: 1, ..Group::default() };
        let mistakes = event.mistakes(&Population { groups: vec![group] });
        assert_eq!(mistakes.iter().map(|one| one.key).collect::<Vec<_>>(), keys, "{mistakes:?}");
    }

    #[test]
    fn every_kind_is_written_as_it_is_read_and_checks_its_settings() {
        check(r#"{"kind":"edit","handles":"a-*"}"#, &[]);
        check(r#"{"kind":"edit","handles":"a-0003"}"#, &["handles"]);
        let insert = r#"{"kind":"edit","handles":"a-0001","change":{"kind":"insert","count":N}}"#;
        check(&insert.replace('N', "4"), &[]);
        check(&insert.replace('N', "0"), &["change.count"]);
        check(&insert.replace('N', "1001"), &["change.count"]);
        check(r#"{"kind":"rotate-key","overlap_ms":86400000}"#, &[]);
        check(r#"{"kind":"rotate-key","overlap_ms":86400001}"#, &["overlap_ms"]);
        check(r#"{"kind":"rotate-webhook-secret","overlap_ms":0}"#, &[]);
        check(r#"{"kind":"rotate-webhook-secret","overlap_ms":86400001}"#, &["overlap_ms"]);
        check(r#"{"kind":"expire-vault-tokens","left_ms":5000}"#, &[]);
        check(r#"{"kind":"expire-vault-tokens","left_ms":86400001}"#, &["left_ms"]);
        check(r#"{"kind":"grant-scopes","scopes":[]}"#, &[]);
        check(r#"{"kind":"grant-scopes","scopes":["links:read","links:eat"]}"#, &["scopes"]);
        check(r#"{"kind":"send-webhook","event":"link.clicked","handle":"a-0002"}"#, &[]);
        check(r#"{"kind":"send-webhook","event":"link.updated","handle":"a-*"}"#, &["handle"]);
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        for odd in [
            r#"{"kind":"edit","handles":"a-*","count":1}"#,
            r#"{"kind":"edit","handles":"a-*","change":{"kind":"insert","count":4,"of":1}}"#,
            r#"{"kind":"rotate-key","overlap_ms":1,"at":1}"#,
        ] {
            assert!(serde_json::from_str::<WorldEvent>(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn what_a_webhook_says_is_not_recorded() {
        let event =
            r#"{"kind":"send-webhook","event":"link.clicked","handle":"a-1","data":{"k":1}}"#;
        let event: WorldEvent = serde_json::from_str(event).unwrap();
        let text = serde_json::to_string(&event.recorded()).unwrap();
        assert_eq!(text, r#"{"kind":"send-webhook","event":"link.clicked","handle":"a-1"}"#);
    }
}
