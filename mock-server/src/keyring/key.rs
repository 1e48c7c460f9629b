//! One API key: whose it is, what it may do, and until when.

use crate::clock::{Clock, Moment};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Which of the two worlds a key belongs to; its prefix shows which.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// Production: the mock's base URL.
    #[default]
    Live,
    /// Staging, whose keys the mock's base URL refuses.
    Test,
}

/// On whose behalf a key may act.
///
/// The contract asks for "the creator's own account" without saying how an account follows from a
/// key. This is our reading: the integration's platform key acts for every creator that connected
/// it, and a creator's own key for that creator alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Account {
    /// Every creator: the integration's platform key.
    #[default]
    Every,
    /// One creator, by handle.
    One(String),
}

impl Account {
    /// Whether a key for this account may act for that creator.
    #[must_use]
    pub fn covers(&self, handle: &str) -> bool {
        match self {
            Self::Every => true,
            Self::One(own) => own == handle,
        }
    }
}

/// What a key that is issued at run time shall be. The default is a live platform key, made now,
/// with the profile's scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewKey {
    /// Live or test.
    pub environment: Environment,
    /// What it may do; none for the profile's scopes.
    pub scopes: Option<Vec<String>>,
    /// For whom it may act.
    pub account: Account,
    /// How long ago it was made, for `created_at`; real time, never scaled.
    pub age: Duration,
}

/// Where a key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The vault hands it out to the integration, and rotation replaces it.
    Platform,
    /// The vault hands it out to staging.
    Staging,
    /// Somebody asked for it.
    Issued,
}

/// A key that the mock knows.
#[derive(Clone)]
pub(crate) struct Key {
    /// What `/me` calls it; no secret.
    pub id: String,
    pub secret: String,
    pub origin: Origin,
    pub environment: Environment,
    pub scopes: Vec<String>,
    pub account: Account,
    /// RFC 3339.
    pub created_at: String,
    /// When a newer key took its place.
    pub superseded: Option<Moment>,
    /// From this moment on it is refused.
    pub valid_until: Option<Moment>,
}

// A derived `Debug` would print the secret into whatever log asks for it.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

impl Key {
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }

    /// How old it is by its `created_at`, milliseconds.
    pub fn age_ms(&self) -> Option<u64> {
        let created: jiff::Timestamp = self.created_at.parse().ok()?;
        let age = timestamp(Clock::wall()).as_millisecond() - created.as_millisecond();
        u64::try_from(age).ok()
    }

    /// What the record calls it at this moment, when creators' keys are to be named or not.
    pub fn label(&self, at: Moment, name_creators: bool) -> String {
        let is_over = |end: Option<Moment>| end.is_some_and(|end| at >= end);
        match &self.account {
            _ if self.environment == Environment::Test => "test".to_owned(),
            _ if is_over(self.valid_until) => "revoked".to_owned(),
            Account::One(handle) if name_creators => format!("creator:{handle}"),
            Account::One(_) => "creator".to_owned(),
            Account::Every if self.origin == Origin::Issued => "issued".to_owned(),
            Account::Every if is_over(self.superseded) => "previous".to_owned(),
            Account::Every => "live".to_owned(),
        }
    }

    fn refusal(&self, at: Moment) -> Option<&'static str> {
        if self.environment == Environment::Test {
            Some("this is a test key; the production base URL takes live keys")
        } else if self.valid_until.is_some_and(|end| at >= end) {
            Some("this key was rotated and has expired")
        } else {
            None
        }
    }
}

/// The credential of one request, as of its arrival.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// `live`, `previous`, `revoked`, `test`, `creator`, `creator:<handle>`, `issued`, `unknown` or
    /// `absent`.
    pub label: String,
    /// The key, if it is known.
    pub key: Option<Arc<Key>>,
    /// Why it is refused, if it is.
    pub refusal: Option<&'static str>,
}

impl Token {
    pub fn absent() -> Self {
        let refusal = Some("a bearer key is needed");
        Self { label: "absent".to_owned(), key: None, refusal }
    }

    pub fn unknown() -> Self {
        let refusal = Some("nobody has this key");
        Self { label: "unknown".to_owned(), key: None, refusal }
    }

    pub fn known(key: Arc<Key>, at: Moment, name_creators: bool) -> Self {
        Self { label: key.label(at, name_creators), refusal: key.refusal(at), key: Some(key) }
    }

    /// The key, unless it is refused.
    pub fn valid(&self) -> Option<&Key> {
        self.key.as_deref().filter(|_| self.refusal.is_none())
    }

    /// Whether the request showed a credential at all.
    pub fn is_absent(&self) -> bool {
        self.label == "absent"
    }
}

/// The calendar time so long ago, RFC 3339 with whole seconds.
pub(crate) fn stamp(ago: Duration) -> String {
    stamp_before(Clock::wall(), ago)
}

/// The calendar time so long before another, RFC 3339 with whole seconds.
pub(crate) fn stamp_before(time: SystemTime, ago: Duration) -> String {
    let then = time.checked_sub(ago).unwrap_or(UNIX_EPOCH);
    timestamp(then).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A calendar time; the epoch for what no calendar holds.
pub(crate) fn timestamp(time: SystemTime) -> jiff::Timestamp {
    jiff::Timestamp::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_says_what_a_key_was_at_that_moment() {
        let key = Key {
            id: "key_1".into(),
            secret: "lt_live_secret".into(),
            origin: Origin::Platform,
            environment: Environment::Live,
            scopes: vec!["links:read".into()],
            account: Account::Every,
            created_at: stamp(Duration::ZERO),
            superseded: Some(Moment(10)),
            valid_until: Some(Moment(20)),
        };
        let check = |key: &Key, at, label: &str, valid| {
            let token = Token::known(Arc::new(key.clone()), Moment(at), true);
            assert_eq!((token.label.as_str(), token.valid().is_some()), (label, valid), "{at}");
        };
        check(&key, 9, "live", true);
        check(&key, 10, "previous", true);
        check(&key, 19, "previous", true);
        check(&key, 20, "revoked", false);
        let forever = Key { superseded: None, valid_until: None, ..key.clone() };
        check(&Key { environment: Environment::Test, ..forever.clone() }, 0, "test", false);
        check(&Key { origin: Origin::Issued, ..forever.clone() }, 0, "issued", true);
        check(&Key { account: Account::One("ann".into()), ..forever }, 0, "creator:ann", true);
        assert_eq!(key.label(Moment(9), false), "live");
        assert!(key.has_scope("links:read") && !key.has_scope("links:write"));
        assert!(!format!("{key:?}").contains("secret"));
    }

    #[test]
    fn a_creators_key_covers_that_creator_alone() {
        assert!(Account::Every.covers("ann"));
        assert!(Account::One("ann".into()).covers("ann"));
        assert!(!Account::One("ann".into()).covers("ann2"));
    }

    #[test]
    fn an_age_beyond_the_calendar_is_the_epoch() {
        assert_eq!(stamp(Duration::MAX), "1970-01-01T00:00:00Z");
    }
}
