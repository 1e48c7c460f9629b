//! Serves one fixed body, by plain wiremock or plain hyper, to compare the mock with.
//!
//! `cargo run --release -p mock-server --example plain -- hyper 4101 body.json`

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Response, header};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::error::Error;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or(format!("failed to start: no {what} given"));
    let (kind, port, file) = (next("kind")?, next("port")?.parse()?, next("file with the body")?);
    let body = std::fs::read(file)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match kind.as_str() {
            "wiremock" => wiremock(port, body).await,
            "hyper" => hyper(port, body).await,
            other => Err(format!("failed to start {other:?}: it is neither wiremock nor hyper"))?,
        }
    })
}

async fn wiremock(port: u16, body: Vec<u8>) -> Result<(), Box<dyn Error>> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
    let server = MockServer::builder().listener(listener).disable_request_recording().start().await;
    let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    println!("{}", server.uri());
    std::future::pending().await
}

/// One thread, as wiremock has one and the mock's edge has one.
async fn hyper(port: u16, body: Vec<u8>) -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    let body = Bytes::from(body);
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let body = body.clone();
                tokio::task::spawn_local(async move {
                    let answer = service_fn(|_| {
                        let body = Full::new(body.clone());
                        let answer = Response::builder()
                            .header(header::CONTENT_TYPE, "application/json")
                            .body(body);
                        std::future::ready(Ok::<_, Infallible>(answer.unwrap_or_default()))
                    });
                    // It ends in an error when the client leaves in the middle of something.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), answer)
                        .await;
                });
            }
        })
        .await
}
