//! Linktree's webhooks: registered at the start, believed when signed and fresh, acted upon once, and kept
//! when they cannot be processed.

mod dead_letters;
mod notice;
mod policy;
mod register;
mod seen;
mod signature;

pub use dead_letters::FAILED_WEBHOOKS;
pub use policy::{Trying, WebhookPolicy};
pub use register::Registrar;
pub use signature::Refusal;

use crate::{
    clock,
    config::{Config, WebhookSettings},
    keys::Keys,
    pages::Pages,
};
use axum::http::HeaderMap;
use dead_letters::{DeadLetter, DeadLetters};
use notice::Notice;
use seen::Seen;
use signature::{Sealed, Verifier};
use std::{
    io,
    sync::{Arc, Mutex},
    time::UNIX_EPOCH,
};

/// Where they come in.
pub const PATH: &str = "/webhooks/linktree";
/// Bytes of a body at the most: no event of the contract comes near.
pub const LARGEST: usize = 256 << 10;

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It was acted upon.
    Done,
    /// It is of no interest here.
    Ignored,
    /// It was dealt with before.
    Repeated,
    /// It cannot be processed, and is kept for later.
    Kept,
    /// It is not believed.
    Refused(Refusal),
    /// It can neither be processed nor kept now.
    Failed,
}

impl Receipt {
    /// The word in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Done => "accepted",
            Self::Ignored => "ignored",
            Self::Repeated => "duplicate",
            Self::Kept => "kept",
            Self::Refused(Refusal::Stale) => "stale",
            Self::Refused(Refusal::Unsigned | Refusal::Signature) => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Takes deliveries in.
pub struct Webhooks {
    verifier: Verifier,
    keys: Arc<Keys>,
    settings: WebhookSettings,
    policy: WebhookPolicy,
    pages: Arc<Pages>,
    seen: Mutex<Seen>,
    dead_letters: DeadLetters,
}

impl Webhooks {
    /// Believes whoever knows the secret that is in force, and has changed pages asked for anew.
    ///
    /// # Errors
    /// When the file of failed deliveries cannot be used.
    pub fn new(
        keys: Arc<Keys>,
        pages: Arc<Pages>,
        config: &Config,
        policy: WebhookPolicy,
    ) -> io::Result<Self> {
        let settings = config.webhooks.clone();
        Ok(Self {
            verifier: Verifier::new(policy),
            keys,
            seen: Mutex::new(Seen::new(settings.remembered)),
            dead_letters: DeadLetters::open(&config.data_dir, policy)?,
            settings,
            policy,
            pages,
        })
    }

    /// Deals with a delivery; when this returns it has been acted upon, or is on disk.
    pub async fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Receipt {
        if self.policy.acts_before_it_checks {
            let _ = Notice::read(body).map(|notice| self.act(notice));
        }
        let now_s = clock::wall().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // A secret is rotated like a key, and with it.
        let secrets = self.keys.in_force();
        let signed = (headers, body);
        let tolerance = self.settings.tolerance;
        let checked = self.verifier.check(&secrets.webhook_secret, signed, now_s, tolerance);
        let sealed = match checked {
            Ok(sealed) => sealed,
            Err(refusal) => return Receipt::Refused(refusal),
        };
        if self.policy.remembers && self.seen.lock().unwrap().knows(&sealed.key, clock::now()) {
            return Receipt::Repeated;
        }
        let receipt = match Notice::read(body) {
            Ok(notice) => self.act(notice),
            Err(reason) => self.keep(&sealed, reason, body).await,
        };
        // Not before: what failed comes again, and must find nobody who knows it.
        if receipt != Receipt::Failed {
            self.seen.lock().unwrap().note(sealed.key, clock::now());
        }
        receipt
    }

    fn act(&self, notice: Notice) -> Receipt {
        match notice {
            Notice::PageChanged(handle) => {
                self.pages.expire(&handle);
                Receipt::Done
            }
            // Linktree counts clicks itself; who wants to know how many asks for analytics.
            Notice::Clicked => Receipt::Done,
            Notice::Other => Receipt::Ignored,
        }
    }

    async fn keep(&self, sealed: &Sealed, reason: &'static str, body: &[u8]) -> Receipt {
        let Some(payload) = (self.policy.keeps)(body) else {
            tracing::error!(id = sealed.id, reason, "a webhook could not be processed");
            return Receipt::Kept;
        };
        let letter = DeadLetter { id: sealed.id.clone(), reason, payload };
        match self.dead_letters.keep(letter).await {
            Ok(()) => {
                tracing::warn!(id = sealed.id, reason, "a webhook was kept for later");
                Receipt::Kept
            }
            Err(error) => {
                tracing::error!(id = sealed.id, %error, "a webhook could not be kept");
                Receipt::Failed
            }
        }
    }
}
