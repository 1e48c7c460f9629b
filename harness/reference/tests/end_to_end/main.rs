//! The whole service against a stub of Linktree, through its front door only.

mod analytics;
mod campaigns;
mod clicks;
mod front;
mod keys;
#[cfg(target_os = "linux")]
mod leaks;
mod metrics;
mod mutants;
mod outage;
mod pages;
mod process;
mod stub;
mod webhooks;

use front::Front;
use reference::{Config, Seams};
use std::{future::Future, sync::Arc, time::Duration};
use stub::Stub;
use tokio::{net::TcpListener, sync::oneshot, time::Instant};

/// A running service. It stops with the runtime of its test.
struct Service {
    stub: Arc<Stub>,
    front: Front,
    folder: Arc<tempfile::TempDir>,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

impl Service {
    async fn start(mutant: Option<&str>) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::start_on(Stub::start().await, folder, mutant).await
    }

    /// A service that Linktree reaches at this address.
    async fn start_at(public_url: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::start_with(Stub::start().await, folder, None, Some(public_url)).await
    }

    async fn start_on(
        stub: Arc<Stub>,
        folder: Arc<tempfile::TempDir>,
        mutant: Option<&str>,
    ) -> Self {
        Self::start_with(stub, folder, mutant, None).await
    }

    async fn start_with(
        stub: Arc<Stub>,
        folder: Arc<tempfile::TempDir>,
        mutant: Option<&str>,
        public_url: Option<&str>,
    ) -> Self {
        let config = Config::from_lookup(|name| {
            let value = match name {
                "LINKTREE_URL" | "VAULT_URL" => stub.url.as_str(),
                "VAULT_TOKEN" => "vault-token",
                "DATA_DIR" => folder.path().to_str().unwrap(),
                "TIME_SCALE" => "20",
                "SESSION_SECRET" => "session-secret",
                "PUBLIC_URL" => return public_url.map(str::to_owned),
                _ => return None,
            };
            Some(value.to_owned())
        })
        .unwrap();
        let mut seams = Seams::default();
        if let Some(id) = mutant {
            (reference::mutants::find(id).unwrap().apply)(&mut seams);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = Front::at(format!("http://{}", listener.local_addr().unwrap()));
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            reference::serve_on(listener, config, seams, stopped).await.unwrap();
        });
        Self { stub, front, folder, stop, ended }
    }

    async fn stop(self) -> (Arc<Stub>, Arc<tempfile::TempDir>) {
        self.stop.send(()).unwrap();
        drop(self.front);
        self.ended.await.unwrap();
        (self.stub, self.folder)
    }

    /// Status, `X-Profile-Version`, `Cache-Status` and body of a page.
    async fn page(&self, handle: &str) -> (u16, String, String, String) {
        let answer = self.front.get(&format!("/{handle}")).await;
        let header = |name: &str| {
            answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let (version, status) = (header("x-profile-version"), header("cache-status"));
        (answer.status().as_u16(), version, status, answer.text().await.unwrap())
    }
}

/// Asks again and again until the answer is yes.
async fn eventually<F: Future<Output = bool>>(what: &str, ask: impl Fn() -> F) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !ask().await {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
