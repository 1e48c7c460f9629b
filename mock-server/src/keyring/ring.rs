//! What is known of the run's credentials at one moment: keys, webhook secrets, the vault's versions.

use super::key::{Account, Environment, Key, Origin, Token, timestamp};
use super::make::SIGNING_PREFIX;
use super::rotation::{Rotated, Rotation};
use crate::clock::{Clock, Moment};
use crate::redact::{Kind, SecretScanner};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// So many platform keys, and so many webhook secrets, are remembered; older ones are unknown.
pub(super) const ROTATIONS_KEPT: usize = 64;

/// So many keys that were issued are remembered; older ones are unknown.
pub(super) const ISSUED_KEPT: usize = 1_000;

/// So many secrets from before a reset are still found and redacted in requests.
pub(super) const FORMER_KEPT: usize = 1_000;

/// So many tokens of logins beyond those that were foreseen are found and redacted in requests.
const LOGINS_KEPT: usize = 1_000;

/// A KV v2 secrets engine keeps ten versions unless configured otherwise (HashiCorp Vault's
/// documentation of `max_versions`).
const VERSIONS_KEPT: usize = 10;

/// What the vault holds under one path and version.
#[derive(Clone)]
pub(crate) struct Version {
    /// From 1.
    pub number: u64,
    pub api_key: String,
    pub webhook_secret: String,
    /// RFC 3339.
    pub created_time: String,
}

/// A webhook secret and the time in which it signs.
#[derive(Clone)]
struct Signing {
    /// No secret.
    id: String,
    secret: String,
    since: Moment,
    until: Option<Moment>,
}

/// Everything that is known at one moment.
#[derive(Clone)]
pub(crate) struct Ring {
    /// Oldest first.
    pub(super) keys: Vec<Arc<Key>>,
    /// Oldest first.
    signing: Vec<Signing>,
    /// Oldest first.
    versions: Vec<Version>,
    /// Of the environment that the mock does not serve.
    other: Version,
    /// The environment that the mock serves.
    serves: Environment,
    /// How many secrets were made after the first ones, so that no two are the same.
    made: u64,
    /// Credentials from before a reset; oldest first.
    pub(super) former: Vec<(String, Kind)>,
    /// What opens the vault: no credential of the ring, but it must not be recorded either.
    pub(super) concealed: Vec<String>,
    /// The same, of logins that nobody foresaw; oldest first.
    logins: Vec<String>,
    /// Credentials of rotations that are yet to come.
    foreseen: Vec<(String, Kind)>,
    /// Whether there are keys of several creators, so that labels must name them.
    several_creators: bool,
    scanner: Arc<SecretScanner<Kind>>,
}

// A derived `Debug` would print secrets into whatever log asks for it.
impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ring({} keys)", self.keys.len())
    }
}

impl Ring {
    /// The ring that a run begins with.
    pub fn first(platform: Key, other: Key, secrets: [String; 2], created_time: &str) -> Self {
        let [secret, other_secret] = secrets;
        let version = |key: &Key, webhook_secret| Version {
            number: 1,
            api_key: key.secret.clone(),
            webhook_secret,
            created_time: created_time.to_owned(),
        };
        Self {
            versions: vec![version(&platform, secret.clone())],
            other: version(&other, other_secret),
            serves: platform.environment,
            keys: vec![Arc::new(other), Arc::new(platform)],
            signing: vec![Signing { id: signing_id(0), secret, since: Moment::ZERO, until: None }],
            made: 0,
            former: Vec::new(),
            concealed: Vec::new(),
            logins: Vec::new(),
            foreseen: Vec::new(),
            several_creators: false,
            scanner: Arc::new(SecretScanner::new([])),
        }
        .indexed()
    }

    /// The ring with what is derived from its credentials; needed after every change.
    pub fn indexed(mut self) -> Self {
        let known = self.to_conceal();
        let scanner =
            SecretScanner::new(known.iter().map(|(secret, kind)| (secret.as_str(), *kind)));
        self.scanner = Arc::new(scanner);
        let creators = self.keys.iter().filter_map(|key| match &key.account {
            Account::One(handle) => Some(handle),
            Account::Every => None,
        });
        self.several_creators = creators.collect::<BTreeSet<_>>().len() > 1;
        self
    }

    /// The newest key of an origin: for the platform, the one that the integration shall use now.
    pub fn newest(&self, origin: Origin) -> &Key {
        let mut newest = self.keys.iter().rev().filter(|key| key.origin == origin);
        newest.next().expect("a ring begins with a key of each environment, and forgets neither")
    }

    /// The secret that signs webhooks now.
    pub fn webhook_secret(&self) -> &str {
        self.signing.last().map_or("", |newest| newest.secret.as_str())
    }

    /// The secrets that sign webhooks at this moment, newest first.
    pub fn signing_secrets(&self, at: Moment) -> Vec<String> {
        let signs = |one: &&Signing| one.since <= at && one.until.is_none_or(|until| at < until);
        self.signing.iter().rev().filter(signs).map(|one| one.secret.clone()).collect()
    }

    /// A number that no other secret of this ring was made from.
    pub fn next_number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Puts this platform key in place of the present one.
    pub fn rotate_key(&mut self, mut fresh: Key, at: Moment, overlap: Duration) -> Rotation {
        let old = self.newest(Origin::Platform);
        fresh.scopes.clone_from(&old.scopes);
        let (old_id, new_id, old_age_ms) = (old.id.clone(), fresh.id.clone(), old.age_ms());
        for key in &mut self.keys {
            if key.origin == Origin::Platform && key.superseded.is_none() {
                let key = Arc::make_mut(key);
                key.superseded = Some(at);
                key.valid_until = Some(at.plus(overlap));
            }
        }
        self.keys.push(Arc::new(fresh));
        forget(&mut self.keys, ROTATIONS_KEPT, |key| key.origin == Origin::Platform);
        let (version, valid_until) = (self.add_version(), at.plus(overlap));
        Rotation { what: Rotated::ApiKey, old_id, new_id, version, valid_until, old_age_ms }
    }

    /// Puts this webhook secret in place of the present one.
    pub fn rotate_signing(
        &mut self,
        number: u64,
        secret: String,
        at: Moment,
        overlap: Duration,
    ) -> Rotation {
        let (valid_until, new_id) = (at.plus(overlap), signing_id(number));
        let mut old_id = String::new();
        if let Some(last) = self.signing.last_mut() {
            last.until = Some(valid_until);
            old_id.clone_from(&last.id);
        }
        self.signing.push(Signing { id: new_id.clone(), secret, since: at, until: None });
        forget(&mut self.signing, ROTATIONS_KEPT, |_| true);
        let version = self.add_version();
        let what = Rotated::WebhookSecret;
        Rotation { what, old_id, new_id, version, valid_until, old_age_ms: None }
    }

    /// A key and a webhook secret that will be made, and must not be recorded then.
    pub fn foresee(&mut self, key: String, secret: String) {
        self.foreseen.push((key, Kind::ApiKey));
        self.foreseen.extend(both_forms(&secret));
    }

    /// Lets the platform's keys be good for these scopes alone.
    pub fn grant(&mut self, scopes: &[String]) {
        for key in self.keys.iter_mut().filter(|key| key.origin == Origin::Platform) {
            Arc::make_mut(key).scopes = scopes.to_vec();
        }
    }

    /// Adds a key that somebody asked for.
    pub fn add_issued(&mut self, key: Key) {
        self.keys.push(Arc::new(key));
        forget(&mut self.keys, ISSUED_KEPT, |key| key.origin == Origin::Issued);
    }

    /// Adds a token of the vault that nobody foresaw.
    pub fn add_login(&mut self, token: String) {
        if !self.logins.contains(&token) {
            self.logins.push(token);
        }
        forget(&mut self.logins, LOGINS_KEPT, |_| true);
    }

    /// Takes over what must not be recorded from the ring before a reset.
    pub fn remember(&mut self, before: &Self) {
        let secrets = before.secrets();
        let older = before.former.iter().filter(|one| !secrets.contains(one)).cloned();
        self.former = older.chain(secrets.iter().cloned()).collect();
        forget(&mut self.former, FORMER_KEPT, |_| true);
        self.concealed.clone_from(&before.concealed);
        self.logins.clone_from(&before.logins);
        self.foreseen.clone_from(&before.foreseen);
    }

    /// Whose key a request shows that arrived at this moment.
    pub fn token(&self, secret: &str, at: Moment) -> Token {
        let Some(key) = self.keys.iter().rev().find(|key| key.secret == secret) else {
            return Token::unknown();
        };
        Token::known(Arc::clone(key), at, self.several_creators, self.serves)
    }

    /// The versions that the vault still has of an environment's secret, oldest first. That of the
    /// environment which the mock does not serve has one.
    pub fn versions(&self, of: Environment) -> &[Version] {
        if of == self.serves { &self.versions } else { std::slice::from_ref(&self.other) }
    }

    /// An environment's secret in the vault: the newest version, or the one that is asked for.
    pub fn version(&self, of: Environment, number: Option<u64>) -> Option<&Version> {
        let versions = self.versions(of);
        match number {
            None => versions.last(),
            Some(number) => versions.iter().find(|version| version.number == number),
        }
    }

    /// Everything that must not be recorded: credentials of now and from before a reset, and what
    /// was named besides.
    pub fn to_conceal(&self) -> Vec<(String, Kind)> {
        let concealed = self.concealed.iter().chain(&self.logins);
        let concealed = concealed.map(|secret| (secret.clone(), Kind::Vault));
        let known = self.secrets().into_iter().chain(self.former.iter().cloned());
        known.chain(concealed).chain(self.foreseen.iter().cloned()).collect()
    }

    /// Finds every credential of the run in bytes.
    pub fn scanner(&self) -> &SecretScanner<Kind> {
        &self.scanner
    }

    fn add_version(&mut self) -> u64 {
        let version = Version {
            number: self.versions.last().map_or(0, |last| last.number) + 1,
            api_key: self.newest(Origin::Platform).secret.clone(),
            webhook_secret: self.webhook_secret().to_owned(),
            created_time: timestamp(Clock::wall()).to_string(),
        };
        let number = version.number;
        self.versions.push(version);
        forget(&mut self.versions, VERSIONS_KEPT, |_| true);
        number
    }

    /// Every credential of this ring.
    fn secrets(&self) -> Vec<(String, Kind)> {
        let keys = self.keys.iter().map(|key| (key.secret.clone(), Kind::ApiKey));
        let signing = self.signing.iter().map(|one| &one.secret);
        let signing = signing.chain([&self.other.webhook_secret]);
        keys.chain(signing.flat_map(|secret| both_forms(secret))).collect()
    }
}

/// A webhook secret, and as whoever decodes it may carry it: without its prefix and padding.
fn both_forms(secret: &str) -> [(String, Kind); 2] {
    let bare = secret.trim_start_matches(SIGNING_PREFIX).trim_end_matches('=');
    [(secret.to_owned(), Kind::Other), (bare.to_owned(), Kind::Other)]
}

/// What a webhook secret is called where it must not be named: by its number.
fn signing_id(number: u64) -> String {
    format!("signing_{number}")
}

/// Drops the oldest of those that `count` until only `kept` of them are left.
fn forget<T>(all: &mut Vec<T>, kept: usize, count: impl Fn(&T) -> bool) {
    let mut surplus = all.iter().filter(|one| count(one)).count().saturating_sub(kept);
    all.retain(|one| {
        let drop = surplus > 0 && count(one);
        surplus -= usize::from(drop);
        !drop
    });
}
