//! Whom the client believes to be Linktree and the vault: whoever an authority has certified, for that
//! host and for today.

use reqwest::{Certificate, ClientBuilder};
use std::path::Path;

/// What is checked where a file names the authorities.
#[derive(Clone, Copy)]
pub struct TlsPolicy {
    /// Changes the checks of the library, which are right as they are.
    pub checks: fn(ClientBuilder) -> ClientBuilder,
    /// The same of the client that asks the vault.
    pub vault_checks: fn(ClientBuilder) -> ClientBuilder,
}

impl Default for TlsPolicy {
    fn default() -> Self {
        Self { checks: |client| client, vault_checks: |client| client }
    }
}

/// Why it is not known whom to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read.
    #[error("failed to read SSL_CERT_FILE: {0}")]
    File(#[from] std::io::Error),
    /// It holds no certificates.
    #[error("failed to read certificates from SSL_CERT_FILE: {0}")]
    Certificates(#[from] reqwest::Error),
}

/// Trusts the authorities of this file and no other; without a file, those of the system.
///
/// # Errors
/// When the file cannot be read, or holds no certificates.
pub fn trusting(
    client: ClientBuilder,
    file: Option<&Path>,
    checks: fn(ClientBuilder) -> ClientBuilder,
) -> Result<ClientBuilder, TrustError> {
    let Some(file) = file else { return Ok(client) };
    let authorities = Certificate::from_pem_bundle(&std::fs::read(file)?)?;
    Ok(checks(client.tls_certs_only(authorities)))
}
