//! Makes a run's credentials out of its seed: the same calls give the same secrets.

use super::key::{Account, Environment, Key, NewKey, Origin, stamp, stamp_before, timestamp};
use super::ring::Ring;
use crate::profile::Keys;
use crate::seed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a webhook secret begins with (Standard Webhooks, "Signature scheme").
pub(super) const SIGNING_PREFIX: &str = "whsec_";

const DAY: Duration = Duration::from_secs(86_400);

/// What credentials are made from.
pub(super) struct Maker {
    pub seed: u64,
    pub settings: Keys,
    /// When the run began, for the age of its first keys.
    pub started: SystemTime,
}

impl Maker {
    /// What every run begins with.
    pub fn first(&self) -> Ring {
        let age = DAY.saturating_mul(self.settings.age_days);
        let created_at = stamp_before(self.started, age);
        let platform = Key { created_at: created_at.clone(), ..self.platform(0) };
        let other = match platform.environment {
            Environment::Live => Environment::Test,
            Environment::Test => Environment::Live,
        };
        let other = Key { created_at, ..self.key(other.name(), 0, other) };
        let secrets = [self.webhook("webhook", 0), self.webhook("staging-webhook", 0)];
        // The vault has had them for as long as they exist.
        let stored = self.started.checked_sub(age).unwrap_or(UNIX_EPOCH);
        Ring::first(platform, other, secrets, &timestamp(stored).to_string())
    }

    /// A platform key that is made now.
    pub fn platform(&self, number: u64) -> Key {
        let environment = self.settings.environment;
        Key { origin: Origin::Platform, ..self.key(environment.name(), number, environment) }
    }

    /// A key that somebody asks for.
    pub fn issued(&self, number: u64, new: NewKey) -> Key {
        let NewKey { environment, scopes, account, age } = new;
        Key {
            account,
            scopes: scopes.unwrap_or_else(|| self.settings.scopes.clone()),
            created_at: stamp(age),
            origin: Origin::Issued,
            ..self.key("issued", number, environment)
        }
    }

    /// A webhook secret: 32 bytes in base64, behind its prefix.
    pub fn webhook(&self, kind: &str, number: u64) -> String {
        let bytes = seed::derive(self.seed, &["secret", kind, &number.to_string()]);
        format!("{SIGNING_PREFIX}{}", STANDARD.encode(bytes))
    }

    fn key(&self, kind: &str, number: u64, environment: Environment) -> Key {
        let number = number.to_string();
        let digits =
            |what, length| hex::encode(&seed::derive(self.seed, &[what, kind, &number])[..length]);
        let prefix = match environment {
            Environment::Live => &self.settings.live_prefix,
            Environment::Test => &self.settings.test_prefix,
        };
        Key {
            id: format!("key_{}", digits("key", 6)),
            secret: format!("{prefix}{}", digits("secret", 16)),
            origin: Origin::Other,
            environment,
            scopes: self.settings.scopes.clone(),
            account: Account::Every,
            created_at: stamp(Duration::ZERO),
            superseded: None,
            valid_until: None,
        }
    }
}
