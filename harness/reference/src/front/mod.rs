//! The front door: the routes for visitors, for readiness and for metrics.

mod analytics;
mod campaign;
mod click;
mod cors;
mod page;
mod webhook;

pub use analytics::AccessPolicy;
pub use cors::CorsPolicy;

use crate::{
    analytics::Analytics,
    campaigns::{self, ChangeStore},
    clicks::{ClickStore, LagPolicy},
    keys::Keys,
    linktree::Failure,
    logs::LogPolicy,
    metrics::{Gauges, Metrics},
    pages::{HtmlPolicy, Pages},
    sessions::Sessions,
    upstream::Upstream,
    webhooks::{self, Webhooks},
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::header,
    middleware,
    response::IntoResponse,
    routing::{get, post},
};
use std::sync::Arc;
use tokio::sync::Notify;

/// What the front door shows of the client behind it: nothing, in a sane service.
#[derive(Clone, Copy)]
pub struct FrontPolicy {
    /// What a visitor reads when there is no page to show.
    pub error_page: fn(&Failure, &Upstream) -> String,
    /// What is said of a request that was refused; it is told what it was.
    pub refused: fn(&'static str, &Upstream),
    /// What `/metrics` says besides what is counted.
    pub more_metrics: fn(&Upstream) -> String,
    /// How a creator's words become markup.
    pub html: HtmlPolicy,
    /// Who may see which figures.
    pub access: AccessPolicy,
    /// Whom the API lets in from pages of other origins.
    pub cors: CorsPolicy,
}

impl Default for FrontPolicy {
    fn default() -> Self {
        Self {
            error_page: |_, _| String::new(),
            refused: |_, _| {},
            more_metrics: |_| String::new(),
            html: HtmlPolicy::default(),
            access: AccessPolicy::default(),
            cors: CorsPolicy::default(),
        }
    }
}

/// What the handlers share.
#[derive(Clone)]
pub struct App {
    /// Link-in-bio pages.
    pub pages: Arc<Pages>,
    /// Creators' figures.
    pub analytics: Arc<Analytics>,
    /// Whose session a request shows.
    pub sessions: Sessions,
    /// The click queue.
    pub clicks: Arc<dyn ClickStore>,
    /// Wakes the delivery.
    pub clicks_arrived: Arc<Notify>,
    /// The campaigns that wait.
    pub changes: ChangeStore,
    /// Wakes their delivery.
    pub campaign_arrived: Arc<Notify>,
    /// Linktree's webhooks.
    pub webhooks: Arc<Webhooks>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// For its gauges.
    pub upstream: Arc<Upstream>,
    /// For the key's age.
    pub keys: Arc<Keys>,
    /// The origins of the front ends that may use the API.
    pub allowed_origins: Arc<[String]>,
    /// How long clicks wait.
    pub lag: LagPolicy,
    /// What is shown of it.
    pub policy: FrontPolicy,
    /// What the log says.
    pub log: LogPolicy,
}

/// All routes.
pub fn router(app: App) -> Router {
    let api = Router::new()
        .route("/api/clicks", post(click::accept))
        .route("/api/analytics/{handle}", get(analytics::show))
        .route(
            "/api/campaigns",
            post(campaign::launch).layer(DefaultBodyLimit::max(campaigns::LARGEST)),
        )
        .layer(middleware::from_fn_with_state(app.clone(), cors::check));
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/metrics", get(metrics))
        .route(webhooks::PATH, post(webhook::take).layer(DefaultBodyLimit::max(webhooks::LARGEST)))
        .merge(api)
        .route("/{handle}", get(page::show))
        .layer(DefaultBodyLimit::max(16 << 10))
        .with_state(app)
}

async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let backlog = app.clicks.backlog().await.unwrap_or_default();
    let mut text = app.metrics.render(&Gauges {
        rate_limit_used: app.upstream.used(None),
        circuit_state: app.upstream.circuit_state(),
        queue_depth: backlog.depth,
        key_age: app.keys.age(),
        delivery_lag: (app.lag.exposed)((app.lag.of)(backlog, app.metrics.recent())),
    });
    text.push_str(&(app.policy.more_metrics)(&app.upstream));
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
