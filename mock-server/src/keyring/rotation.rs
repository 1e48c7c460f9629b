//! Which credential took the place of which, as it is recorded.

use crate::clock::Moment;
use serde::{Deserialize, Serialize};

/// What was rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rotated {
    /// The platform's key.
    ApiKey,
    /// The secret that signs webhooks.
    WebhookSecret,
}

/// One credential took the place of another: from then on the vault hands out the new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// What was rotated.
    pub what: Rotated,
    /// The id of the old one, no secret; a key's is the `key_id` of its exchanges.
    pub old_id: String,
    /// The id of the new one.
    pub new_id: String,
    /// The vault's version that is the first to hold the new one.
    pub version: u64,
    /// From this moment on the old one is refused, or signs no more.
    pub valid_until: Moment,
    /// How old the old key was by its `created_at`, real milliseconds; none of a webhook secret, which
    /// has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_age_ms: Option<u64>,
}
