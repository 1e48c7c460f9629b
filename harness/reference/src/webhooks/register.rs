//! Has Linktree send its webhooks here: looks whether it does already, and registers otherwise.
//!
//! It is tried until it is done, through the client that all calls go through: while Linktree is down it
//! waits for the breaker like everybody else, and it costs two calls of the limit.

use super::{
    notice::WANTED,
    policy::{Trying, WebhookPolicy},
};
use crate::{
    clock,
    config::Config,
    linktree::{Answer, Call, Failure, Route},
    upstream::Upstream,
};
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// How long a refusal is believed, which only people can mend: a missing scope, a wrong address.
const REFUSED: Duration = Duration::from_secs(60);
/// The shortest rest while the way is barred.
const REST: Duration = Duration::from_millis(5);
/// The longest, since the way may open earlier than it looked.
const LONGEST_REST: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
struct Listed {
    data: Vec<Registered>,
}

#[derive(Deserialize)]
struct Registered {
    url: String,
    events: Vec<String>,
    #[serde(default)]
    active: bool,
}

/// Registers this service.
pub struct Registrar {
    upstream: Arc<Upstream>,
    address: String,
    trying: Trying,
}

impl Registrar {
    /// For the configured address; none without one.
    pub fn new(upstream: Arc<Upstream>, config: &Config, policy: WebhookPolicy) -> Option<Self> {
        let public_url =
            config.public_url.as_ref().filter(|_| policy.registers != Trying::Never)?;
        let address = format!("{public_url}{}", (policy.path)(&config.data_dir));
        Some(Self { upstream, address, trying: policy.registers })
    }

    /// Returns once Linktree sends here.
    pub async fn run(self) {
        let Some(listed) =
            self.until_answered(&Call::new(Route::Webhooks, "/webhooks".into())).await
        else {
            return;
        };
        if self.is_among(&listed.body) {
            tracing::info!("the webhook was registered already");
            return;
        }
        let wish = json!({ "url": self.address, "events": WANTED });
        let mut call = Call::new(Route::Register, "/webhooks".into());
        call.body = Some(wish.to_string().into_bytes());
        if self.until_answered(&call).await.is_some() {
            tracing::info!("the webhook is registered");
        }
    }

    fn is_among(&self, body: &[u8]) -> bool {
        let Ok(listed) = serde_json::from_slice::<Listed>(body) else { return false };
        let own = Url::parse(&self.address).ok();
        listed.data.iter().any(|one| {
            let wants = |event: &&str| one.events.iter().any(|known| known == event);
            one.active && Url::parse(&one.url).ok() == own && WANTED.iter().all(wants)
        })
    }

    /// Tries for as long as it takes; none when nobody is to try again.
    async fn until_answered(&self, call: &Call) -> Option<Answer> {
        let mut number = 1;
        loop {
            match self.upstream.attempt_unbarred(call, number).await {
                Ok(answer) => return Some(answer),
                Err(Failure::Barred(barrier)) => {
                    sleep(barrier.rest(clock::now()).clamp(REST, LONGEST_REST)).await;
                }
                Err(failure) => {
                    tracing::warn!(%failure, "the webhook is not registered yet");
                    if self.trying == Trying::Once {
                        return None;
                    }
                    let mendable = failure.is_transient();
                    sleep(if mendable { self.upstream.backoff(number) } else { REFUSED }).await;
                    number += 1;
                }
            }
        }
    }
}
