//! The reference integration: a link-in-bio service in front of Linktree, as one would run it.
//!
//! It serves pages from a cache, takes clicks in durably, and calls Linktree through one client
//! that keeps the rate limit, obeys `Retry-After`, breaks the circuit and backs off. It knows
//! nothing of the harness: it is a client of the contract. [`mutants`] swap one of its [`Seams`]
//! each, to prove that the harness notices.
//!
//! Where to look: [`config`] for the environment, `linktree` for the words of the contract,
//! `upstream` for the client, `pages`, `clicks`, `campaigns` and `analytics` for the parts of the service, `front`
//! for its routes. Modules use each other in one direction only, and none but this file and the
//! mutants knows the seams (`harness/tests/house.rs` holds both).

mod alerting;
mod analytics;
mod campaigns;
mod clicks;
mod clock;
pub mod config;
mod front;
mod key_watch;
mod keys;
mod linktree;
mod logs;
mod metrics;
pub mod mutants;
mod pages;
mod recent;
mod seams;
mod secrets;
mod sessions;
mod source;
mod tls;
mod upstream;
mod vault_login;
mod webhooks;

pub use config::Config;
pub use seams::Seams;
#[cfg(fuzzing)]
pub use upstream::retry_after::fuzz;
pub use webhooks::FAILED_WEBHOOKS;

use alerting::Alerting;
use analytics::Analytics;
use campaigns::{ChangeStore, delivery::Launcher};
use clicks::delivery::Delivery;
use keys::Keys;
use metrics::Metrics;
use pages::Pages;
use reqwest::ClientBuilder;
use sessions::Sessions;
use std::{future::Future, process::ExitCode, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::{Notify, watch},
};
use upstream::Upstream;
use webhooks::{Registrar, Webhooks};

/// How long requests under way may take after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// Why the service does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The environment is wrong.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// The vault gave no secrets.
    #[error(transparent)]
    Secrets(#[from] secrets::SecretsError),
    /// The click queue does not open.
    #[error(transparent)]
    Store(#[from] clicks::StoreError),
    /// The campaigns' table does not open.
    #[error(transparent)]
    Campaigns(#[from] campaigns::StoreError),
    /// The file of the requests that were sent does not open.
    #[error("failed to use the log of what was sent: {0}")]
    Sent(#[source] std::io::Error),
    /// There is no room for webhooks that cannot be processed.
    #[error("failed to use the file of failed webhooks: {0}")]
    DeadLetters(#[source] std::io::Error),
    /// The client cannot be built.
    #[error("failed to build the client: {0}")]
    Client(#[from] reqwest::Error),
    /// Nobody is trusted, or nobody knows who.
    #[error(transparent)]
    Trust(#[from] tls::TrustError),
    /// The address is taken, or the socket broke.
    #[error("failed to serve: {0}")]
    Socket(#[from] std::io::Error),
}

/// Runs the service on the configured address until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start.
pub async fn serve(config: Config, seams: Seams) -> Result<(), ServeError> {
    let listener = TcpListener::bind((config.host.as_str(), config.port)).await?;
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    serve_on(listener, config, seams, stop).await
}

/// Runs the service on a bound socket until `stop`.
///
/// # Errors
/// When it cannot start.
pub async fn serve_on(
    listener: TcpListener,
    config: Config,
    seams: Seams,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let http = client(&config, seams.tls.checks)?;
    let vault = client(&config, seams.tls.vault_checks)?;
    let secrets = (seams.secrets)(&vault, &config).await?;
    let alerts = &config.alerts;
    let span = alerts.error_window.max(alerts.latency_window);
    let metrics = Arc::new(Metrics::new(seams.metrics, span));
    let keys = Arc::new(Keys::new(vault, config.clone(), secrets, seams.keys));
    let upstream = Upstream::new(
        http.clone(),
        &config,
        keys.clone(),
        seams.upstream,
        metrics.clone(),
        seams.log,
    )
    .map_err(ServeError::Sent)?;
    let upstream = Arc::new(upstream);
    let clicks = (seams.store)(&config.data_dir)?;
    let clicks_arrived = Arc::new(Notify::new());
    let changes = ChangeStore::open(&config.data_dir)?;
    let campaign_arrived = Arc::new(Notify::new());
    let launcher =
        Launcher::new(changes.clone(), upstream.clone(), campaign_arrived.clone(), seams.campaigns);
    let pages = Arc::new(Pages::new(upstream.clone(), &config.pages, seams.pages, seams.log));
    let webhooks = Webhooks::new(keys.clone(), pages.clone(), &config, seams.webhooks)
        .map_err(ServeError::DeadLetters)?;
    let registrar = Registrar::new(upstream.clone(), &config, seams.webhooks);
    let app = front::App {
        analytics: Arc::new(Analytics::new(upstream.clone(), &config.analytics, seams.analytics)),
        sessions: Sessions::new(config.session_secret.clone(), seams.verify),
        pages,
        clicks: clicks.clone(),
        clicks_arrived: clicks_arrived.clone(),
        changes,
        campaign_arrived,
        webhooks: Arc::new(webhooks),
        metrics: metrics.clone(),
        upstream: upstream.clone(),
        keys: keys.clone(),
        allowed_origins: config.allowed_origins.as_slice().into(),
        lag: seams.lag,
        policy: seams.front,
        log: seams.log,
    };
    let watched = (keys.clone(), upstream.clone());
    let alerting = Alerting::new(
        http,
        alerts,
        seams.alerts,
        metrics.clone(),
        upstream.clone(),
        (clicks.clone(), seams.lag),
        keys,
    );
    let settings = (&config.clicks, &config.rate);
    let delivery =
        Delivery::new(clicks, upstream, metrics, clicks_arrived, settings, seams.delivery);

    let (stopping, stopped) = watch::channel(false);
    let delivery = tokio::spawn(delivery.run(stopped.clone()));
    let launcher = tokio::spawn(launcher.run(stopped.clone()));
    tokio::spawn(key_watch::run(watched.0, watched.1, stopped.clone()));
    let alerting = alerting.map(|alerting| tokio::spawn(alerting.run(stopped.clone())));
    tokio::spawn(async move {
        stop.await;
        stopping.send_replace(true);
    });
    let wait = |mut stopped: watch::Receiver<bool>| async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    // The socket takes connections already, so that whoever looks is answered.
    if let Some(registrar) = registrar {
        let stopped = wait(stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = registrar.run() => {}
                () = stopped => {}
            }
        });
    }
    tracing::info!(address = %listener.local_addr()?, "serving");
    let server =
        axum::serve(listener, front::router(app)).with_graceful_shutdown(wait(stopped.clone()));
    let too_late = async {
        wait(stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = server.into_future() => result?,
        () = too_late => tracing::warn!("some requests were cut off"),
    }
    let _ = tokio::time::timeout(GRACE, async { tokio::join!(delivery, launcher) }).await;
    if let Some(alerting) = alerting {
        let _ = tokio::time::timeout(GRACE, alerting).await;
    }
    Ok(())
}

/// No redirects (the key would travel), no proxy, no retries behind the limiter's back.
fn client(
    config: &Config,
    checks: fn(ClientBuilder) -> ClientBuilder,
) -> Result<reqwest::Client, ServeError> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .pool_idle_timeout(Duration::from_secs(20))
        .user_agent("linktree-integration/1");
    Ok(tls::trusting(client, config.ca_file.as_deref(), checks)?.build()?)
}

/// The whole program: configuration from the environment, one mutant applied if named.
///
/// Exits 0 after SIGTERM, 1 when the service fails, 2 when it is asked for nonsense.
pub fn main_from_env(mutant: Option<&str>) -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "warn,reference=info".into());
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
    let mut seams = Seams::default();
    if let Some(id) = mutant {
        let Some(mutant) = mutants::find(id) else {
            tracing::error!(id, "failed to start: there is no such mutant");
            return ExitCode::from(2);
        };
        (mutant.apply)(&mut seams);
    }
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => {
            tracing::error!("{error}");
            return ExitCode::from(2);
        }
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = runtime.map_err(ServeError::from).and_then(|runtime| {
        let served = runtime.block_on(serve(config, seams));
        runtime.shutdown_timeout(Duration::from_secs(1));
        served
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
