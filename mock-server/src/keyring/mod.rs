//! The credentials of a run: which keys and webhook secrets exist, rotation with an overlap, the
//! vault's versions of them, and the tokens that open it.
//!
//! What is known at one moment is a `Ring`, which never changes; a rotation puts a new one in its
//! place, so that readers neither wait nor see half a rotation.

mod key;
mod leases;
mod make;
mod ring;
mod rotation;
mod wrappings;

pub(crate) use key::Token;
pub(crate) use key::timestamp;
pub use key::{Account, Environment, NewKey};
pub(crate) use leases::{Holder, Lease, Standing, uuid};
pub(crate) use ring::{Ring, Version};
pub use rotation::{Rotated, Rotation};
pub(crate) use wrappings::Wrapped;

use crate::clock::{Clock, Moment};
use crate::profile::{Keys, Vault};
use key::Origin;
use leases::Leases;
use make::Maker;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use wrappings::Wrappings;

/// The run's credentials, shared between threads.
pub(crate) struct Keyring {
    /// The vault's tokens.
    pub leases: Leases,
    /// What it has wrapped.
    pub wrappings: Wrappings,
    maker: Maker,
    ring: RwLock<Arc<Ring>>,
    writing: Mutex<()>,
}

impl Keyring {
    pub fn new(seed: u64, settings: &Keys, vault: &Vault) -> Self {
        let maker = Maker { seed, settings: settings.clone(), started: Clock::wall() };
        let (leases, wrappings) = (Leases::new(seed, vault), Wrappings::new(seed));
        let mut ring = maker.first();
        ring.concealed = leases.foreseen();
        ring.concealed.extend(wrappings.foreseen());
        let ring = RwLock::new(Arc::new(ring.indexed()));
        Self { leases, wrappings, maker, ring, writing: Mutex::default() }
    }

    /// What is known now.
    pub fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn api_key(&self) -> String {
        self.ring().newest(Origin::Platform).secret.clone()
    }

    pub fn other_key(&self) -> String {
        self.ring().newest(Origin::Other).secret.clone()
    }

    pub fn webhook_secret(&self) -> String {
        self.ring().webhook_secret().to_owned()
    }

    /// Puts a new platform key in place of the present one, which works for so long yet.
    pub fn rotate_api_key(&self, at: Moment, overlap: Duration) -> Rotation {
        self.change(|ring| {
            let fresh = self.maker.platform(ring.next_number());
            ring.rotate_key(fresh, at, overlap)
        })
    }

    /// So many rotations are planned: what they will make must not be recorded either, and whoever
    /// asks for what is to be concealed is told it before it exists.
    pub fn foresee(&self, rotations: usize) {
        if rotations == 0 {
            return;
        }
        self.change(|ring| {
            for number in 1..=rotations as u64 {
                let key = self.maker.platform(number).secret;
                ring.foresee(key, self.maker.webhook("webhook", number));
            }
        });
    }

    /// Lets the platform's keys be good for these scopes alone.
    pub fn grant(&self, scopes: &[String]) {
        self.change(|ring| ring.grant(scopes));
    }

    /// Puts a new webhook secret in place of the present one, which also signs for so long yet.
    pub fn rotate_webhook_secret(&self, at: Moment, overlap: Duration) -> Rotation {
        self.change(|ring| {
            let number = ring.next_number();
            ring.rotate_signing(number, self.maker.webhook("webhook", number), at, overlap)
        })
    }

    /// Makes one more key and says its secret.
    pub fn issue(&self, new: NewKey) -> String {
        self.change(|ring| {
            let key = self.maker.issued(ring.next_number(), new);
            let secret = key.secret.clone();
            ring.add_issued(key);
            secret
        })
    }

    /// The token that opens the vault for the run.
    pub fn open_vault_with(&self, token: &str) {
        self.leases.open_with(token);
        self.change(|ring| ring.concealed.push(token.to_owned()));
    }

    /// Hands out a token of the vault, which is never recorded either.
    pub fn log_in(&self, holder: Holder, at: Moment) -> Lease {
        let (lease, unforeseen) = self.leases.log_in(holder, at);
        if unforeseen {
            self.change(|ring| ring.add_login(lease.token.clone()));
        }
        lease
    }

    /// Keeps an answer of the vault for so long; says the token that opens it, which is never recorded
    /// either, and its accessor.
    pub fn wrap(&self, holds: Wrapped, ttl: Duration, at: Moment) -> (String, String) {
        let (token, accessor, unforeseen) = self.wrappings.wrap(holds, ttl, at);
        if unforeseen {
            self.change(|ring| ring.add_login(token.clone()));
        }
        (token, accessor)
    }

    /// Lets all tokens of the vault expire, those that wrap answers among them.
    pub fn expire_tokens(&self, at: Moment, left: Duration) {
        self.leases.expire(at, left);
        self.wrappings.expire(at, left);
    }

    /// Goes back to the first keys and the vault's first token. The others are unknown now, but still
    /// never recorded.
    pub fn reset(&self) {
        self.leases.reset();
        self.wrappings.reset();
        self.change(|ring| {
            let mut first = self.maker.first();
            first.remember(ring);
            *ring = first;
        });
    }

    /// Changes a copy of the ring, and puts it in place.
    fn change<T>(&self, how: impl FnOnce(&mut Ring) -> T) -> T {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ring = Ring::clone(&self.ring());
        let value = how(&mut ring);
        // This takes a while with many keys, so readers do not wait for it.
        let ring = Arc::new(ring.indexed());
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::ContractProfile;
    use ring::{FORMER_KEPT, ISSUED_KEPT, ROTATIONS_KEPT};

    const LONG: Duration = Duration::from_secs(1_000);

    fn ring(seed: u64) -> Keyring {
        let profile = ContractProfile::linktree_v1();
        Keyring::new(seed, &profile.keys, &profile.vault)
    }

    fn label(keys: &Keyring, secret: &str, at: u64) -> String {
        keys.ring().token(secret, Moment(at)).label
    }

    #[test]
    fn credentials_follow_the_seed_and_are_never_printed() {
        let (keys, again, other) = (ring(7), ring(7), ring(8));
        assert_eq!(keys.api_key(), again.api_key());
        assert_ne!(keys.api_key(), other.api_key());
        assert_eq!(keys.api_key().len(), "lt_live_".len() + 32);
        assert!(keys.other_key().starts_with("lt_test_"));
        assert!(!format!("{:?}", keys.ring()).contains("lt_"));
        keys.rotate_api_key(Moment(1), LONG);
        again.rotate_api_key(Moment(9), Duration::ZERO);
        assert_eq!(keys.api_key(), again.api_key());
    }

    #[test]
    fn both_keys_work_in_the_overlap_and_only_the_new_one_after_it() {
        let keys = ring(7);
        let old = keys.api_key();
        keys.rotate_api_key(Moment(100), Duration::from_nanos(50));
        let new = keys.api_key();
        assert_eq!(label(&keys, &old, 99), "live", "a request from before the rotation");
        assert_eq!(label(&keys, &old, 149), "previous");
        assert_eq!(label(&keys, &old, 150), "revoked");
        assert_eq!(label(&keys, &new, 150), "live");
        assert_eq!(label(&keys, &keys.other_key(), 0), "test");
        assert_eq!(label(&keys, "x", 0), "unknown");
        let id = |secret: &str| keys.ring().token(secret, Moment(0)).key.unwrap().id.clone();
        assert_ne!(id(&old), id(&new));
    }

    #[test]
    fn what_planned_rotations_will_make_is_concealed_before_it_is_there() {
        let keys = ring(7);
        keys.foresee(2);
        let concealed = keys.ring().to_conceal();
        let secret = keys.rotate_webhook_secret(Moment(1), LONG);
        let key = keys.rotate_api_key(Moment(2), LONG);
        assert_eq!((secret.old_id.as_str(), secret.new_id.as_str()), ("signing_0", "signing_1"));
        assert_eq!((secret.version, key.version), (2, 3));
        assert_eq!(key.valid_until, Moment(2).plus(LONG));
        let age_s = key.old_age_ms.unwrap() / 1_000;
        assert!((864_000..864_060).contains(&age_s), "ten days, by the contract: {age_s}");
        for made in [keys.webhook_secret(), keys.api_key()] {
            assert!(concealed.iter().any(|(known, _)| *known == made));
        }
        let next = keys.rotate_api_key(Moment(3), LONG);
        assert_eq!(next.old_id, key.new_id);
        assert!(next.old_age_ms.unwrap() < 60_000);
    }

    #[test]
    fn scopes_are_granted_to_the_platforms_keys_and_those_that_follow() {
        let keys = ring(7);
        let test = keys.other_key();
        keys.grant(&["links:read".to_owned()]);
        let old = keys.api_key();
        keys.rotate_api_key(Moment(1), LONG);
        let scopes =
            |secret: &str| keys.ring().token(secret, Moment(0)).key.unwrap().scopes.clone();
        assert_eq!(scopes(&old), ["links:read"]);
        assert_eq!(scopes(&keys.api_key()), ["links:read"]);
        assert_ne!(scopes(&test), ["links:read"]);
        keys.reset();
        assert_ne!(scopes(&keys.api_key()), ["links:read"]);
    }

    #[test]
    fn both_webhook_secrets_sign_in_the_overlap_newest_first() {
        let keys = ring(7);
        let old = keys.webhook_secret();
        keys.rotate_webhook_secret(Moment(100), Duration::from_nanos(50));
        let new = keys.webhook_secret();
        let signs =
            |at, secrets: &[&str]| assert_eq!(keys.ring().signing_secrets(Moment(at)), secrets);
        signs(99, &[&old]);
        signs(149, &[&new, &old]);
        signs(150, &[&new]);
    }

    #[test]
    fn every_rotation_is_a_version_and_ten_are_kept() {
        let keys = ring(7);
        let (old_key, old_secret) = (keys.api_key(), keys.webhook_secret());
        keys.rotate_api_key(Moment(1), LONG);
        keys.rotate_webhook_secret(Moment(2), LONG);
        let shown = |number| {
            let ring = keys.ring();
            ring.version(Environment::Live, number)
                .map(|v| (v.number, v.api_key.clone(), v.webhook_secret.clone()))
        };
        assert_eq!(shown(Some(1)), Some((1, old_key, old_secret.clone())));
        assert_eq!(shown(Some(2)), Some((2, keys.api_key(), old_secret)));
        assert_eq!(shown(None), Some((3, keys.api_key(), keys.webhook_secret())));
        assert_eq!(shown(Some(4)), None);
        for _ in 0..10 {
            keys.rotate_api_key(Moment(3), LONG);
        }
        assert_eq!((shown(Some(3)), shown(None).unwrap().0), (None, 13));
        let ring = keys.ring();
        let other = |number| ring.version(Environment::Test, number);
        assert_eq!(other(None).unwrap().api_key, keys.other_key());
        assert_ne!(other(Some(1)).unwrap().webhook_secret, keys.webhook_secret());
        assert!(other(Some(2)).is_none());
    }

    #[test]
    fn in_staging_the_keys_change_places() {
        let mut profile = ContractProfile::linktree_v1();
        profile.keys.environment = Environment::Test;
        let (live, keys) = (ring(7), Keyring::new(7, &profile.keys, &profile.vault));
        assert_eq!((keys.api_key(), keys.other_key()), (live.other_key(), live.api_key()));
        let of = |secret: &str| {
            let token = keys.ring().token(secret, Moment(0));
            (token.label.clone(), token.refusal.is_some(), token.is_of_the_other)
        };
        assert_eq!(of(&keys.api_key()), ("test".to_owned(), false, false));
        assert_eq!(of(&keys.other_key()), ("live".to_owned(), true, true));
        let old = keys.api_key();
        keys.rotate_api_key(Moment(0), Duration::ZERO);
        assert!(keys.api_key().starts_with("lt_test_"));
        assert_eq!(of(&old), ("test".to_owned(), true, false));
        let shown = |of| keys.ring().version(of, None).unwrap().api_key.clone();
        assert_eq!(shown(Environment::Test), keys.api_key());
        assert_eq!(shown(Environment::Live), live.api_key());
        keys.reset();
        assert_eq!(keys.api_key(), old);
    }

    #[test]
    fn issued_keys_are_named_by_their_account() {
        let keys = ring(7);
        let new = |account| NewKey { account, ..NewKey::default() };
        let one = keys.issue(new(Account::One("ann".into())));
        let more = keys.issue(new(Account::Every));
        assert_eq!(label(&keys, &one, 0), "creator");
        assert_eq!(label(&keys, &more, 0), "issued");
        keys.issue(new(Account::One("bob".into())));
        assert_eq!(label(&keys, &one, 0), "creator:ann");
        let test = keys.issue(NewKey { environment: Environment::Test, ..NewKey::default() });
        assert_eq!(label(&keys, &test, 0), "test");
        assert!(test.starts_with("lt_test_"));
        assert_eq!(label(&keys, &keys.api_key(), 0), "live", "the platform's key is another");
        assert_ne!(keys.other_key(), test);
    }

    #[test]
    fn a_reset_goes_back_to_the_first_keys_and_forgets_no_secret() {
        let keys = ring(7);
        let first = (keys.api_key(), keys.webhook_secret());
        keys.open_vault_with("a-vault-token");
        keys.rotate_api_key(Moment(1), Duration::ZERO);
        keys.rotate_webhook_secret(Moment(1), Duration::ZERO);
        let later = [keys.api_key(), keys.webhook_secret(), "a-vault-token".to_owned()];
        keys.reset();
        assert_eq!((keys.api_key(), keys.webhook_secret()), first);
        assert_eq!(keys.ring().version(Environment::Live, None).unwrap().number, 1);
        assert_eq!(label(&keys, &first.0, 5), "live");
        assert_eq!(label(&keys, &later[0], 5), "unknown");
        for secret in &later {
            assert_eq!(keys.ring().scanner().redacted(secret), "[key]");
        }
    }

    #[test]
    fn many_keys_do_not_pile_up() {
        let keys = ring(7);
        let (first, oldest) = (keys.api_key(), keys.issue(NewKey::default()));
        for _ in 0..ROTATIONS_KEPT {
            keys.rotate_api_key(Moment(1), LONG);
            keys.rotate_webhook_secret(Moment(1), LONG);
        }
        keys.change(|ring| {
            for _ in 0..ISSUED_KEPT {
                let number = ring.next_number();
                ring.add_issued(keys.maker.issued(number, NewKey::default()));
            }
        });
        assert_eq!(label(&keys, &first, 5), "unknown");
        assert_eq!(label(&keys, &oldest, 5), "unknown");
        let ring = keys.ring();
        assert_eq!(ring.keys.len(), ROTATIONS_KEPT + ISSUED_KEPT + 1);
        assert_eq!(ring.signing_secrets(Moment(5)).len(), ROTATIONS_KEPT);
        for _ in 0..3 {
            keys.reset();
        }
        assert_eq!(keys.ring().former.len(), FORMER_KEPT);
    }
}
