//! The whole service against a stub of Linktree, through its front door only.

mod clicks;
#[cfg(target_os = "linux")]
mod leaks;
mod metrics;
mod mutants;
mod outage;
mod pages;
mod process;
mod stub;

use reference::{Config, Seams};
use std::{future::Future, sync::Arc, time::Duration};
use stub::Stub;
use tokio::{net::TcpListener, sync::oneshot, time::Instant};

/// A running service. It stops with the runtime of its test.
struct Service {
    stub: Arc<Stub>,
    front: String,
    http: reqwest::Client,
    folder: Arc<tempfile::TempDir>,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

impl Service {
    async fn start(mutant: Option<&str>) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::start_on(Stub::start().await, folder, mutant).await
    }

    async fn start_on(
        stub: Arc<Stub>,
        folder: Arc<tempfile::TempDir>,
        mutant: Option<&str>,
    ) -> Self {
        let config = Config::from_lookup(|name| {
            let value = match name {
                "LINKTREE_URL" | "VAULT_URL" => stub.url.as_str(),
                "VAULT_TOKEN" => "vault-token",
                "DATA_DIR" => folder.path().to_str().unwrap(),
                "TIME_SCALE" => "20",
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
        let front = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            reference::serve_on(listener, config, seams, stopped).await.unwrap();
        });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { stub, front, http, folder, stop, ended }
    }

    async fn stop(self) -> (Arc<Stub>, Arc<tempfile::TempDir>) {
        self.stop.send(()).unwrap();
        drop(self.http);
        self.ended.await.unwrap();
        (self.stub, self.folder)
    }

    /// Status, `X-Profile-Version`, `Cache-Status` and body of a page.
    async fn page(&self, handle: &str) -> (u16, String, String, String) {
        let answer = self.http.get(format!("{}/{handle}", self.front)).send().await.unwrap();
        let header = |name: &str| {
            answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let (version, status) = (header("x-profile-version"), header("cache-status"));
        (answer.status().as_u16(), version, status, answer.text().await.unwrap())
    }

    async fn click(&self, event_id: &str) -> u16 {
        let body = serde_json::json!({
            "event_id": event_id, "handle": "ann", "link_id": "ann-1",
            "occurred_at": "2026-01-01T00:00:00Z",
            "visitor": {"ip": "192.0.2.7", "user_agent": "ua"},
        });
        let url = format!("{}/api/clicks", self.front);
        let answer = self.http.post(url).body(body.to_string()).send().await.unwrap();
        answer.status().as_u16()
    }

    async fn metric(&self, line_start: &str) -> Option<f64> {
        let answer = self.http.get(format!("{}/metrics", self.front)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let line = text.lines().find(|line| line.starts_with(line_start))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Waits until no click is waiting.
    async fn drained(&self) {
        eventually("the queue to drain", async || {
            self.metric("linktree_click_queue_depth").await == Some(0.0)
        })
        .await;
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
