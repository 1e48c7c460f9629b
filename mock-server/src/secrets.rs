//! The run's credentials, and the vault that hands them out in the shape of HashiCorp Vault KV v2.

use crate::clock::Clock;
use crate::profile::Keys;
use crate::seed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// Where the vault keeps the integration's secret.
pub const VAULT_PATH: &str = "/v1/secret/data/linktree";

/// The credentials of one run, derived from its seed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The key that the mock accepts.
    pub api_key: String,
    /// The staging key, which the production base URL refuses.
    pub test_key: String,
    /// The secret that signs webhooks, `whsec_` and base64 of 32 bytes.
    pub webhook_secret: String,
}

// A derived `Debug` would print credentials into whatever log asks for it.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets { [key] }")
    }
}

impl Secrets {
    /// The credentials for a seed.
    #[must_use]
    pub fn derive(root: u64, keys: &Keys) -> Self {
        let digits = |label: &str| hex::encode(&seed::derive(root, &["secret", label])[..16]);
        let webhook = STANDARD.encode(seed::derive(root, &["secret", "webhook"]));
        Self {
            api_key: format!("{}{}", keys.live_prefix, digits("live")),
            test_key: format!("{}{}", keys.test_prefix, digits("test")),
            webhook_secret: format!("whsec_{webhook}"),
        }
    }
}

struct Read {
    secrets: Secrets,
    token: String,
    created_time: String,
}

impl Respond for Read {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let shown = request.headers.get("x-vault-token").and_then(|value| value.to_str().ok());
        if shown != Some(self.token.as_str()) {
            return ResponseTemplate::new(403)
                .set_body_json(json!({ "errors": ["permission denied"] }));
        }
        ResponseTemplate::new(200).set_body_json(json!({
            "data": {
                "data": {
                    "api_key": self.secrets.api_key,
                    "webhook_secret": self.secrets.webhook_secret,
                },
                "metadata": { "version": 1, "created_time": self.created_time },
            }
        }))
    }
}

/// Starts the vault on any loopback port. Its requests are no upstream exchanges.
///
/// # Errors
///
/// The operating system's word when no port could be had.
pub(crate) async fn start_vault(secrets: Secrets, token: String) -> std::io::Result<MockServer> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let server = MockServer::builder().listener(listener).disable_request_recording().start().await;
    let created_time = jiff::Timestamp::try_from(Clock::wall()).unwrap_or_default().to_string();
    Mock::given(method("GET"))
        .and(path(VAULT_PATH))
        .respond_with(Read { secrets, token, created_time })
        .mount(&server)
        .await;
    Mock::given(wiremock::matchers::any())
        .respond_with(ResponseTemplate::new(404).set_body_json(json!({ "errors": [] })))
        .with_priority(u8::MAX)
        .mount(&server)
        .await;
    Ok(server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::ContractProfile;

    #[test]
    fn credentials_follow_the_seed_and_are_never_printed() {
        let keys = ContractProfile::linktree_v1().keys;
        let secrets = Secrets::derive(7, &keys);
        assert_eq!(secrets, Secrets::derive(7, &keys));
        assert_ne!(secrets, Secrets::derive(8, &keys));
        assert_eq!(secrets.api_key.len(), keys.live_prefix.len() + 32);
        assert!(secrets.test_key.starts_with("lt_test_"));
        assert!(!format!("{secrets:?}").contains("lt_"));
    }
}
