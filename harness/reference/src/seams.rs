//! The places where behaviour can be swapped: plain values whose default is what production does.
//!
//! Each decision stands with the module that takes it. Only the start and the mutants know them
//! all: everything else is given its own.

use crate::{
    alerting::AlertPolicy,
    analytics::AnalyticsPolicy,
    campaigns::delivery::CampaignPolicy,
    clicks::{ClickStore, LagPolicy, SqliteStore, StoreError, delivery::DeliveryPolicy},
    config::Config,
    front::FrontPolicy,
    keys::KeyPolicy,
    logs::LogPolicy,
    metrics::MetricsPolicy,
    pages::PagePolicy,
    secrets::{self, SecretsFuture},
    sessions::{self, Verify},
    tls::TlsPolicy,
    upstream::UpstreamPolicy,
    webhooks::WebhookPolicy,
};
use std::{path::Path, sync::Arc};

/// What the service calls Linktree for: pages, campaigns, clicks, creators' figures, and its own registration.
const SCOPES: &[&str] = &[
    "profile:read",
    "links:read",
    "links:write",
    "clicks:write",
    "analytics:read",
    "webhooks:write",
];

/// Every decision of the service.
#[derive(Clone, Copy)]
pub struct Seams {
    /// When and how Linktree is called.
    pub upstream: UpstreamPolicy,
    /// How pages are filled and kept.
    pub pages: PagePolicy,
    /// Opens the click queue in a folder.
    pub store: fn(&Path) -> Result<Arc<dyn ClickStore>, StoreError>,
    /// How clicks are delivered.
    pub delivery: DeliveryPolicy,
    /// How long clicks wait.
    pub lag: LagPolicy,
    /// How campaigns are sent.
    pub campaigns: CampaignPolicy,
    /// Where the secrets come from, at the start.
    pub secrets: for<'a> fn(&'a reqwest::Client, &'a Config) -> SecretsFuture<'a>,
    /// How creators' figures are waited for.
    pub analytics: AnalyticsPolicy,
    /// Whether a session's code is good.
    pub verify: Verify,
    /// When there is another key, and who uses it.
    pub keys: KeyPolicy,
    /// What is checked of whoever says that it is Linktree or the vault.
    pub tls: TlsPolicy,
    /// What the front door shows of the client behind it.
    pub front: FrontPolicy,
    /// What the log says.
    pub log: LogPolicy,
    /// What is counted as what.
    pub metrics: MetricsPolicy,
    /// Which webhooks are believed, and what becomes of them.
    pub webhooks: WebhookPolicy,
    /// When on-call is told.
    pub alerts: AlertPolicy,
    /// What the key must be good for: whoever makes it gives it these scopes.
    pub scopes: &'static [&'static str],
}

impl Default for Seams {
    fn default() -> Self {
        Self {
            upstream: UpstreamPolicy::default(),
            pages: PagePolicy::default(),
            store: |folder| Ok(Arc::new(SqliteStore::open(folder)?)),
            delivery: DeliveryPolicy::default(),
            lag: LagPolicy::default(),
            campaigns: CampaignPolicy::default(),
            secrets: |http, config| Box::pin(secrets::read(http, config)),
            analytics: AnalyticsPolicy::default(),
            verify: sessions::whole_code,
            keys: KeyPolicy::default(),
            tls: TlsPolicy::default(),
            front: FrontPolicy::default(),
            log: LogPolicy::default(),
            metrics: MetricsPolicy::default(),
            webhooks: WebhookPolicy::default(),
            alerts: AlertPolicy::default(),
            scopes: SCOPES,
        }
    }
}
