//! What whoever runs the mock can do with its credentials, also while it is under load.

use super::MockLinktree;
use crate::keyring::NewKey;
use crate::redact::Kind;
use crate::world::WorldEvent;
use std::time::Duration;

impl MockLinktree {
    /// The key that the integration shall use now; the vault's newest.
    #[must_use]
    pub fn api_key(&self) -> String {
        self.shared.world.keys.api_key()
    }

    /// The key of the other environment, which the mock refuses: the staging key, unless the profile says that
    /// the mock is staging.
    #[must_use]
    pub fn other_key(&self) -> String {
        self.shared.world.keys.other_key()
    }

    /// The secret that signs webhooks now.
    #[must_use]
    pub fn webhook_secret(&self) -> String {
        self.shared.world.keys.webhook_secret()
    }

    /// The secrets that sign webhooks now, newest first; several in the overlap of a rotation.
    #[must_use]
    pub fn signing_secrets(&self) -> Vec<String> {
        self.shared.world.signing_secrets(self.clock.now())
    }

    /// Puts a new API key in place of the present one: in the vault at once, and on the wire beside
    /// the old one for `overlap` (whole milliseconds of real time, never scaled). After that the old one gets 401.
    pub fn rotate_api_key(&self, overlap: Duration) {
        self.let_happen(WorldEvent::RotateKey { overlap_ms: whole_ms(overlap) });
    }

    /// Puts a new webhook secret in place of the present one: in the vault at once, and in
    /// signatures beside the old one for `overlap` (whole milliseconds of real time, never scaled).
    pub fn rotate_webhook_secret(&self, overlap: Duration) {
        self.let_happen(WorldEvent::RotateWebhookSecret { overlap_ms: whole_ms(overlap) });
    }

    fn let_happen(&self, event: WorldEvent) {
        // Only an edit can be refused.
        if let Err(error) = self.steer(&event) {
            tracing::error!(%error, "a credential was not changed");
        }
    }

    /// What the run's AppRole is called, no secret: whoever logs in at the vault with it must show
    /// [`Self::vault_secret_id`].
    #[must_use]
    pub fn vault_role_id(&self) -> String {
        self.shared.world.keys.leases.role_id()
    }

    /// What the run's AppRole logs in with at the vault.
    #[must_use]
    pub fn vault_secret_id(&self) -> String {
        self.shared.world.keys.leases.secret_id()
    }

    /// Lets the vault's tokens, the run's own and those of logins so far, live for `left` yet (whole
    /// milliseconds of real time, never scaled), unless they are renewed. After that they get 403.
    pub fn expire_vault_tokens(&self, left: Duration) {
        self.let_happen(WorldEvent::ExpireVaultTokens { left_ms: whole_ms(left) });
    }

    /// Every credential that must not be recorded anywhere: keys, webhook secrets (also without
    /// prefix and padding) and what opens the vault, present, past and of logins yet to come.
    #[must_use]
    pub fn credentials(&self) -> Vec<(String, Kind)> {
        self.shared.world.keys.ring().to_conceal()
    }

    /// Makes one more key, which the vault does not hand out, and returns it. The mock remembers
    /// the last 1,000.
    pub fn issue_key(&self, key: NewKey) -> String {
        self.shared.world.keys.issue(key)
    }

    /// Goes back to the keys, secrets and vault version that the run began with. Keys made since
    /// then are unknown.
    pub fn reset_keys(&self) {
        self.shared.world.keys.reset();
    }
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
