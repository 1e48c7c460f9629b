//! Reads the secrets from the vault (HashiCorp KV version 2), so that they stand in no environment.

use crate::{clock, config::Config};
use serde::Deserialize;
use std::{fmt, future::Future, pin::Pin, time::Duration};

/// What reading the secrets returns.
pub type SecretsFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Secrets, SecretsError>> + Send + 'a>>;

/// What the vault holds for this service.
#[derive(Clone, Deserialize)]
pub struct Secrets {
    /// The key for Linktree.
    pub api_key: String,
    /// What Linktree signs its webhooks with.
    pub webhook_secret: String,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(hidden)")
    }
}

#[derive(Deserialize)]
struct Envelope {
    data: Versioned,
}

#[derive(Deserialize)]
struct Versioned {
    data: Secrets,
}

/// Why there are no secrets.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the secrets from the vault: {0}")]
pub struct SecretsError(pub String);

/// Asks the vault until it answers, for as long as `config.vault_patience`.
///
/// # Errors
/// With the last reason, when the time is over.
pub async fn read(http: &reqwest::Client, config: &Config) -> Result<Secrets, SecretsError> {
    let deadline = clock::now() + config.vault_patience;
    loop {
        match ask(http, config).await {
            Ok(secrets) => return Ok(secrets),
            Err(error) if clock::now() >= deadline => return Err(error),
            Err(error) => tracing::warn!(%error, "the vault did not answer yet"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Asks the vault once for the secret of this environment, and for no other.
///
/// # Errors
/// With the reason why there is no secret.
pub async fn ask(http: &reqwest::Client, config: &Config) -> Result<Secrets, SecretsError> {
    let response = config
        .vault
        .read(http, &config.vault_secret)
        .await
        .map_err(|error| SecretsError(error.without_url().to_string()))?;
    // The parser's own words could quote the secret, so they are not repeated.
    let envelope: Envelope = response
        .json()
        .await
        .map_err(|_| SecretsError("what it sent is not as expected".into()))?;
    Ok(envelope.data.data)
}
