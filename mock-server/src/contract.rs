//! The routes and scopes of the assumed contract, by the names that plans and histories use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The upstream routes of the contract.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// `GET /v1/health`
    Health,
    /// `GET /v1/me`
    Me,
    /// `GET /v1/profiles/{handle}`
    Profile,
    /// `GET /v1/profiles/{handle}/links`
    ProfileLinks,
    /// `POST /v1/clicks`
    Clicks,
    /// `POST /v1/clicks/batch`
    ClicksBatch,
    /// `GET /v1/links`
    Links,
    /// `PATCH /v1/links/{id}`
    Link,
    /// `POST /v1/links/batch`
    LinksBatch,
    /// `GET /v1/analytics/{handle}`
    Analytics,
    /// `POST /v1/webhooks`, `GET /v1/webhooks`, `DELETE /v1/webhooks/{id}`
    Webhooks,
    /// Anything else, outside the contract.
    Unknown,
}

impl Route {
    /// Whether this route is a cacheable read of one creator's page.
    #[must_use]
    pub const fn is_page_read(self) -> bool {
        matches!(self, Self::Profile | Self::ProfileLinks)
    }

    /// The scope that a key needs for this route; none where any key will do, or no key.
    #[must_use]
    pub const fn scope(self) -> Option<&'static str> {
        match self {
            Self::Profile => Some("profile:read"),
            Self::ProfileLinks | Self::Links => Some("links:read"),
            Self::Link | Self::LinksBatch => Some("links:write"),
            Self::Clicks | Self::ClicksBatch => Some("clicks:write"),
            Self::Analytics => Some("analytics:read"),
            Self::Webhooks => Some("webhooks:write"),
            Self::Health | Self::Me | Self::Unknown => None,
        }
    }

    /// Whether it is answered to anybody, and counts for no limit.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Health)
    }

    /// Whether this route delivers clicks.
    #[must_use]
    pub const fn is_click(self) -> bool {
        matches!(self, Self::Clicks | Self::ClicksBatch)
    }
}

/// The servers that the mock consists of, each with an address of its own.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Listener {
    /// The API.
    Linktree,
    /// The secrets manager.
    Vault,
    /// The alert receiver.
    Alerts,
}

impl Listener {
    /// Its name, as in plans and histories.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linktree => "linktree",
            Self::Vault => "vault",
            Self::Alerts => "alerts",
        }
    }
}

/// The secrets managers that can be asked for the run's credentials.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SecretsManager {
    /// HashiCorp Vault, KV version 2.
    #[default]
    Vault,
    /// AWS Secrets Manager.
    Aws,
    /// GCP Secret Manager, over REST.
    Gcp,
}

impl SecretsManager {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Vault, Self::Aws, Self::Gcp];

    /// Its name, as in configurations and histories.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::Aws => "aws",
            Self::Gcp => "gcp",
        }
    }

    /// What it is called in a sentence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Vault => "the vault",
            Self::Aws => "AWS Secrets Manager",
            Self::Gcp => "GCP Secret Manager",
        }
    }

    /// Whether it is the vault, which is asked unless another is named.
    #[must_use]
    pub fn is_vault(&self) -> bool {
        *self == Self::Vault
    }
}

/// Every scope that a route of the contract asks for.
pub const SCOPES: &[&str] = &[
    "profile:read",
    "links:read",
    "links:write",
    "clicks:write",
    "analytics:read",
    "webhooks:write",
];
