//! What is compared: the mock without a limit on requests, plain wiremock and plain hyper.

#![allow(dead_code)] // each user compares in its own way

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Response, header};
use hyper_util::rt::TokioIo;
use mock_server::clock::{Clock, Moment};
use mock_server::history::record::Recorder;
use mock_server::listen::Listen;
use mock_server::profile::ContractProfile;
use mock_server::server::{MockConfig, MockError, MockLinktree};
use mock_server::world::population::{Group, Population};
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// What is asked for.
pub const TARGET: &str = "/v1/profiles/tail-0001";

/// The mock, on a port of its own.
pub fn mock(recorder: Arc<dyn Recorder>) -> Result<MockLinktree, MockError> {
    let mut profile = ContractProfile::linktree_v1();
    // The limiter remembers one window, which shall be short where so many are admitted.
    (profile.limit.requests, profile.limit.window_ms) = (1_000_000, 1_000);
    let group =
        Group { prefix: "tail".into(), count: 100, min_links: 3, max_links: 3, ..Group::default() };
    let mock = MockLinktree::start(MockConfig {
        profile,
        time_scale: 1,
        seed: 7,
        population: Population { groups: vec![group] },
        world: vec![],
        rules: vec![],
        listen: Listen::default(),
        alert_fields: Default::default(),
        port: 0,
        clock: Clock::start(),
        recorder,
        secrets: vec![mock_server::contract::SecretsManager::Vault],
        vault_token: String::new(),
        vault_port: 0,
        tls: None,
    })?;
    mock.arm(Moment::ZERO);
    Ok(mock)
}

/// Plain wiremock, which keeps every request: it grows while it is measured.
pub async fn wiremock(listener: TcpListener, body: &[u8]) -> MockServer {
    let server = MockServer::builder().listener(listener).disable_request_recording().start().await;
    let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// Plain hyper on one thread, as wiremock has one and the mock's edge has one. Blocks for ever.
pub fn hyper(listener: TcpListener, body: &[u8]) -> io::Result<()> {
    let body = Bytes::copy_from_slice(body);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let body = body.clone();
            tokio::task::spawn_local(async move {
                let answer = service_fn(|_| {
                    let answer = Response::builder()
                        .header(header::CONTENT_TYPE, "application/json")
                        .body(Full::new(body.clone()));
                    std::future::ready(Ok::<_, Infallible>(answer.unwrap_or_default()))
                });
                let http = hyper::server::conn::http1::Builder::new();
                // It ends in an error when the client leaves in the middle of something.
                let _ = http.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    })
}
