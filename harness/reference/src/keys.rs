//! The key in use: taken over from the vault when there is another, and kept while there is none.
//!
//! A rotation is noticed in two ways. The vault is asked every so often, so that a new key is in use long
//! before the old one ends; and it is asked at once when Linktree refuses the key, which may have been
//! revoked without notice. A vault that does not answer, or has no secret, changes nothing: the last good
//! key stays, and no other is looked for elsewhere.

use crate::{
    clock,
    config::Config,
    linktree::Route,
    secrets::{self, Secrets, SecretsFuture},
};
use std::{
    sync::{Arc, Mutex, RwLock},
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{Mutex as Turn, Notify},
    time::Instant,
};

/// What is decided about keys.
#[derive(Clone, Copy)]
pub struct KeyPolicy {
    /// Asks the vault once.
    pub read: for<'a> fn(&'a reqwest::Client, &'a Config) -> SecretsFuture<'a>,
    /// How often the vault is asked, given what is configured; never where there is none.
    pub polls: fn(Duration) -> Option<Duration>,
    /// Whether it is asked when Linktree refuses the key.
    pub asks_when_refused: bool,
    /// Whether the age of a key is forgotten with it.
    pub forgets_age: bool,
    /// From when the age of a key counts, given when it was made.
    pub made: fn(SystemTime) -> SystemTime,
    /// With which secrets a route is called, given those in force.
    pub serving: fn(Route, Arc<Secrets>) -> Arc<Secrets>,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self {
            read: |http, config| Box::pin(secrets::ask(http, config)),
            polls: Some,
            asks_when_refused: true,
            forgets_age: true,
            made: |created| created,
            serving: |_, in_force| in_force,
        }
    }
}

/// The secrets in force, and when their key was made.
pub struct Keys {
    http: reqwest::Client,
    config: Config,
    policy: KeyPolicy,
    in_force: RwLock<Arc<Secrets>>,
    /// When the key was made that is in force, once Linktree has said so.
    created: Mutex<Option<SystemTime>>,
    /// When the vault was last asked because of a refusal; held while it is.
    asked: Turn<Option<Instant>>,
    changed: Notify,
}

impl Keys {
    /// Begins with these.
    pub fn new(http: reqwest::Client, config: Config, first: Secrets, policy: KeyPolicy) -> Self {
        Self {
            http,
            config,
            policy,
            in_force: RwLock::new(Arc::new(first)),
            created: Mutex::default(),
            asked: Turn::default(),
            changed: Notify::new(),
        }
    }

    /// The secrets in force.
    pub fn in_force(&self) -> Arc<Secrets> {
        self.in_force.read().unwrap().clone()
    }

    /// Those with which a route is called.
    pub fn serving(&self, route: Route) -> Arc<Secrets> {
        (self.policy.serving)(route, self.in_force())
    }

    /// Linktree refused the key of these secrets: whether there is another one now. Of many refusals at
    /// once, one asks the vault and the others wait for it; a vault that has just said that there is no
    /// other key is not asked again at once.
    pub async fn renewed_after(&self, refused: &Secrets) -> bool {
        let differs = || self.in_force().api_key != refused.api_key;
        if differs() || !self.policy.asks_when_refused {
            return differs();
        }
        let mut asked = self.asked.lock().await;
        let lately = asked.is_some_and(|at| at.elapsed() < self.config.keys.refusal_rest);
        if !differs() && !lately {
            self.refresh().await;
            *asked = Some(clock::now());
        }
        differs()
    }

    /// Asks the vault once, and takes over what is new.
    pub async fn refresh(&self) {
        match (self.policy.read)(&self.http, &self.config).await {
            Ok(found) => self.take_over(found),
            Err(error) => tracing::warn!(%error, "the key in use stays in use"),
        }
    }

    fn take_over(&self, found: Secrets) {
        let is_another_key = self.in_force().api_key != found.api_key;
        *self.in_force.write().unwrap() = Arc::new(found);
        if is_another_key {
            if self.policy.forgets_age {
                *self.created.lock().unwrap() = None;
            }
            tracing::info!("the key was rotated; the new one is in use");
            self.changed.notify_waiters();
        }
    }

    /// Waits for the next time to ask the vault, or until there is another key.
    pub async fn rest(&self) {
        let changed = self.changed.notified();
        let Some(pause) = (self.policy.polls)(self.config.keys.poll) else {
            return changed.await;
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => self.refresh().await,
            () = changed => {}
        }
    }

    /// The key of these secrets was made at this time.
    pub fn was_created(&self, of: &Secrets, at: SystemTime) {
        let mut created = self.created.lock().unwrap();
        let is_news = self.policy.forgets_age || created.is_none();
        if is_news && self.in_force().api_key == of.api_key {
            *created = Some((self.policy.made)(at));
        }
    }

    /// How old the key in use is; none until Linktree has said when it was made.
    pub fn age(&self) -> Option<Duration> {
        let created = (*self.created.lock().unwrap())?;
        Some(clock::wall().duration_since(created).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::SecretsError;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn config() -> Config {
        let set = [
            ("LINKTREE_URL", "http://127.0.0.1:1"),
            ("VAULT_URL", "http://127.0.0.1:2"),
            ("VAULT_TOKEN", "t"),
            ("DATA_DIR", "d"),
        ];
        let find = |name: &str| set.iter().find(|(known, _)| *known == name);
        Config::from_lookup(|name| find(name).map(|(_, value)| (*value).to_owned())).unwrap()
    }

    fn keys(read: for<'a> fn(&'a reqwest::Client, &'a Config) -> SecretsFuture<'a>) -> Keys {
        let policy = KeyPolicy { read, ..KeyPolicy::default() };
        Keys::new(reqwest::Client::new(), config(), secrets("old"), policy)
    }

    fn secrets(api_key: &str) -> Secrets {
        Secrets { api_key: api_key.to_owned(), webhook_secret: "whsec_x".to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_refusals_one_asks_the_vault_and_all_get_its_key() {
        static READS: AtomicU32 = AtomicU32::new(0);
        let keys = keys(|_, _| {
            READS.fetch_add(1, Ordering::Relaxed);
            Box::pin(async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(secrets("new"))
            })
        });
        let old = keys.in_force();
        let (one, other) = tokio::join!(keys.renewed_after(&old), keys.renewed_after(&old));
        assert!(one && other && keys.in_force().api_key == "new");
        assert!(keys.renewed_after(&old).await, "who comes late with the old key");
        assert_eq!(READS.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_vault_without_an_answer_leaves_the_key_and_is_not_asked_at_each_refusal() {
        static READS: AtomicU32 = AtomicU32::new(0);
        let keys = keys(|_, _| {
            READS.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Err(SecretsError("sealed".into())) })
        });
        let old = keys.in_force();
        for _ in 0..5 {
            assert!(!keys.renewed_after(&old).await);
        }
        assert_eq!((keys.in_force().api_key.as_str(), READS.load(Ordering::Relaxed)), ("old", 1));
        tokio::time::sleep(keys.config.keys.refusal_rest).await;
        assert!(!keys.renewed_after(&old).await);
        assert_eq!(READS.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_age_is_that_of_the_key_in_use() {
        let keys = keys(|_, _| Box::pin(async { Ok(secrets("new")) }));
        assert_eq!(keys.age(), None);
        let hour = Duration::from_secs(3_600);
        keys.was_created(&secrets("old"), clock::wall() - hour);
        assert!(keys.age().is_some_and(|age| age >= hour));
        keys.rest().await;
        assert_eq!((keys.in_force().api_key.as_str(), keys.age()), ("new", None));
        keys.was_created(&secrets("old"), clock::wall());
        assert_eq!(keys.age(), None, "an answer about the key that was");
    }
}
