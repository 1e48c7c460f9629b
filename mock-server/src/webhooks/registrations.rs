//! Who wants to hear of what: the registrations, one for each address.

use super::address::callable;
use super::event::WebhookEvent;
use super::message::created_at;
use super::schemes::Scheme;
use crate::listen::IpNet;
use crate::seed;
use reqwest::Url;
use schemars::JsonSchema;
use serde::Serialize;

/// Registrations that one mock keeps; each costs a delivery for every message.
const MOST: usize = 100;

/// Somebody who wants to hear of some events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Registration {
    /// The registration's id.
    pub id: String,
    /// Where deliveries go.
    pub url: String,
    /// What it wants to hear of.
    pub events: Vec<WebhookEvent>,
    /// Whether it brought a secret of its own; otherwise the account's secrets sign.
    pub own_secret: bool,
    /// False after an answer that disables it, such as 410; registering again enables it.
    pub active: bool,
    /// What the last `HEAD` found: true for an answer below 500 other than 404 and 410; none before
    /// there was one.
    pub reachable: Option<bool>,
    /// When it was first registered, RFC 3339.
    pub created_at: String,
}

/// Why somebody cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// The address is none, or not plain HTTP without credentials.
    #[error(
        "failed to register {url:?}: {what}; give an address such as http://127.0.0.1:8080/hook"
    )]
    Url {
        /// The address.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// The mock never calls a machine that nobody has named.
    #[error(
        "failed to register {url:?}: its host is not named; webhooks go to 127.0.0.1, [::1] and \
         localhost, and else only to the address of the target and of the mock's peers, by number"
    )]
    Host {
        /// The address.
        url: String,
    },
    /// Nothing to hear of.
    #[error("failed to register {url:?}: name at least one event")]
    Events {
        /// The address.
        url: String,
    },
    /// The secret is none under the contract's scheme. The message never shows it.
    #[error("failed to register {url:?}: a secret is {rule}")]
    Secret {
        /// The address.
        url: String,
        /// What a secret looks like.
        rule: &'static str,
    },
    /// There are too many.
    #[error("failed to register {url:?}: there are {MOST} registrations already; delete one")]
    Full {
        /// The address.
        url: String,
    },
}

/// What an attempt needs to know of a registration.
#[derive(Clone)]
pub(super) struct Destination {
    pub url: String,
    /// Its own secret; none when the account's secrets sign.
    pub secret: Option<String>,
}

struct Entry {
    registration: Registration,
    /// The address in its one normal form, to notice the same one.
    normal: Url,
    secret: Option<String>,
}

/// All registrations, oldest first.
#[derive(Default)]
pub(super) struct Registrations {
    entries: Vec<Entry>,
    made: u64,
}

/// What somebody asks for.
pub(super) struct RegistrationRequest<'a> {
    pub url: &'a str,
    pub events: &'a [WebhookEvent],
    pub secret: Option<&'a str>,
    /// Who may be called beside this machine.
    pub named: &'a [IpNet],
}

impl Registrations {
    /// Registers, or changes the registration of the same address. True for a new one.
    pub fn register(
        &mut self,
        root: u64,
        scheme: &dyn Scheme,
        request: &RegistrationRequest<'_>,
    ) -> Result<(Registration, bool), RegistrationError> {
        let url = request.url.to_owned();
        let normal = callable(request.url, request.named)?;
        if request.events.is_empty() {
            return Err(RegistrationError::Events { url });
        }
        if request.secret.is_some_and(|secret| scheme.key(secret).is_none()) {
            return Err(RegistrationError::Secret { url, rule: scheme.secret_rule() });
        }
        let mut events = request.events.to_vec();
        events.sort_unstable();
        events.dedup();
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.normal == normal) {
            if let Some(secret) = request.secret {
                entry.secret = Some(secret.to_owned());
                entry.registration.own_secret = true;
            }
            entry.registration.events = events;
            entry.registration.active = true;
            return Ok((entry.registration.clone(), false));
        }
        if self.entries.len() >= MOST {
            return Err(RegistrationError::Full { url });
        }
        let digits = seed::derive(root, &["webhook", "registration", &self.made.to_string()]);
        self.made += 1;
        let registration = Registration {
            id: format!("wh_{}", hex::encode(&digits[..8])),
            url,
            events,
            own_secret: request.secret.is_some(),
            active: true,
            reachable: None,
            created_at: created_at(),
        };
        let secret = request.secret.map(str::to_owned);
        self.entries.push(Entry { registration: registration.clone(), normal, secret });
        Ok((registration, true))
    }

    /// False when there is no such registration.
    pub fn remove(&mut self, id: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.registration.id != id);
        self.entries.len() < before
    }

    /// Removes all of them; later ones have other ids.
    pub fn forget(&mut self) {
        self.entries.clear();
    }

    pub fn all(&self) -> Vec<Registration> {
        self.entries.iter().map(|entry| entry.registration.clone()).collect()
    }

    /// The active registrations that want to hear of an event, by id.
    pub fn wanting(&self, event: WebhookEvent) -> Vec<String> {
        let wants = |one: &Registration| one.active && one.events.contains(&event);
        let registrations = self.entries.iter().map(|entry| &entry.registration);
        registrations.filter(|one| wants(one)).map(|one| one.id.clone()).collect()
    }

    /// Where to send, or none when the registration is gone or disabled.
    pub fn destination(&self, id: &str) -> Option<Destination> {
        let entry = self.entries.iter().find(|entry| entry.registration.id == id)?;
        let registration = &entry.registration;
        let destination =
            Destination { url: registration.url.clone(), secret: entry.secret.clone() };
        registration.active.then_some(destination)
    }

    pub fn disable(&mut self, id: &str) {
        self.with(id, |registration| registration.active = false);
    }

    pub fn note_reachable(&mut self, id: &str, reachable: bool) {
        self.with(id, |registration| registration.reachable = Some(reachable));
    }

    fn with(&mut self, id: &str, then: impl FnOnce(&mut Registration)) {
        let mut registrations = self.entries.iter_mut().map(|entry| &mut entry.registration);
        if let Some(registration) = registrations.find(|one| one.id == id) {
            then(registration);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::schemes::SchemeName;
    use super::*;

    const CLICKS: &[WebhookEvent] = &[WebhookEvent::LinkClicked];

    fn register(
        registrations: &mut Registrations,
        url: &str,
        events: &[WebhookEvent],
        secret: Option<&str>,
    ) -> Result<(Registration, bool), RegistrationError> {
        let scheme = SchemeName::StandardWebhooks.scheme();
        registrations.register(7, scheme, &RegistrationRequest { url, events, secret, named: &[] })
    }

    #[test]
    fn the_same_address_keeps_its_registration_and_takes_the_new_wish() {
        let mut registrations = Registrations::default();
        let (first, new) =
            register(&mut registrations, "http://127.0.0.1:1/a", CLICKS, None).unwrap();
        assert!(new && !first.own_secret && first.active && first.reachable.is_none());
        registrations.disable(&first.id);
        assert!(
            registrations.destination(&first.id).is_none()
                && registrations.wanting(CLICKS[0]).is_empty()
        );
        let events = [WebhookEvent::ProfileUpdated, CLICKS[0], CLICKS[0]];
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let again =
            register(&mut registrations, "http://127.0.0.1:1/b/../a#x", &events, Some(secret));
        let (again, new) = again.unwrap();
        assert!(!new && again.active && again.own_secret);
        assert_eq!((&again.id, &again.url), (&first.id, &first.url));
        assert_eq!(again.events, [WebhookEvent::LinkClicked, WebhookEvent::ProfileUpdated]);
        assert_eq!(registrations.destination(&first.id).unwrap().secret.as_deref(), Some(secret));
        let (other, new) =
            register(&mut registrations, "http://127.0.0.1:2/a", CLICKS, None).unwrap();
        assert!(new && other.id != first.id);
        assert_eq!(registrations.wanting(CLICKS[0]), [first.id.as_str(), other.id.as_str()]);
        assert!(registrations.remove(&first.id) && !registrations.remove(&first.id));
        assert_eq!(registrations.all(), [other]);
    }

    #[test]
    fn a_wish_without_events_a_bad_secret_or_one_too_many_is_refused() {
        let mut registrations = Registrations::default();
        let said = |result: Result<(Registration, bool), RegistrationError>| {
            result.unwrap_err().to_string()
        };
        assert!(
            said(register(&mut registrations, "http://[::1]/", &[], None)).contains("at least one")
        );
        let bad = said(register(&mut registrations, "http://[::1]/", CLICKS, Some("hush")));
        assert!(bad.contains("24 to 64 bytes") && !bad.contains("hush"), "{bad}");
        for port in 1_000..1_000 + MOST {
            register(&mut registrations, &format!("http://[::1]:{port}/"), CLICKS, None).unwrap();
        }
        assert!(
            said(register(&mut registrations, "http://[::1]/", CLICKS, None))
                .contains("delete one")
        );
    }
}
