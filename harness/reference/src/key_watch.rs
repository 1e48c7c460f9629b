//! Watches the key: asks the vault for a newer one, and Linktree when the one in use was made.

use crate::{
    clock,
    keys::Keys,
    linktree::{Call, Failure, Route},
    secrets::Secrets,
    upstream::Upstream,
};
use serde::Deserialize;
use std::{sync::Arc, time::SystemTime};
use tokio::{sync::watch, time::sleep};

/// What Linktree says of the account, as far as it is wanted.
#[derive(Deserialize)]
struct Account {
    key: KeyInfo,
}

#[derive(Deserialize)]
struct KeyInfo {
    created_at: jiff::Timestamp,
}

/// Works until `stop` turns true.
pub async fn run(keys: Arc<Keys>, upstream: Arc<Upstream>, mut stop: watch::Receiver<bool>) {
    let asks = async {
        let mut known: Option<Arc<Secrets>> = None;
        loop {
            let in_force = keys.in_force();
            if known.as_ref().is_none_or(|known| known.api_key != in_force.api_key) {
                learn_age(&keys, &upstream, &in_force).await;
                known = Some(in_force);
            } else {
                keys.rest().await;
            }
        }
    };
    tokio::select! {
        () = asks => {}
        _ = stop.wait_for(|stopped| *stopped) => {}
    }
}

/// Asks until there is an answer, or another key. Nobody waits for it, so it goes behind everybody else:
/// only while nothing bars the way, and after a failure no sooner than any retry.
async fn learn_age(keys: &Keys, upstream: &Upstream, of: &Secrets) {
    let call = Call::new(Route::Me, "/me".to_owned());
    let mut failures = 0;
    while keys.in_force().api_key == of.api_key {
        match upstream.attempt_unbarred(&call, failures + 1).await {
            Ok(answer) => {
                match serde_json::from_slice::<Account>(&answer.body) {
                    Ok(account) => keys.was_created(of, SystemTime::from(account.key.created_at)),
                    Err(_) => tracing::warn!("linktree does not say when the key was made"),
                }
                return;
            }
            Err(Failure::Barred(barrier)) => {
                sleep(barrier.rest(clock::now()).max(upstream.cool_down())).await;
            }
            Err(_) => {
                failures += 1;
                sleep(upstream.backoff(failures)).await;
            }
        }
    }
}
