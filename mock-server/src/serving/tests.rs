//! Clients that hold a port beside the edge: silent, slow, half-open, or reading nothing.

use super::*;
use crate::control::{Control, ControlConfig};
use crate::history::record::Record;
use crate::rig::config;
use crate::server::{Extras, MockLinktree};
use crate::services::testing::Tape;
use axum::body::Bytes;
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const FOLLOW: &[u8] = b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n";

/// Says hello, takes bodies, and has answers that begin and never end.
fn router() -> Router {
    let endless = async || {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"begun"))]);
        Body::from_stream(first.chain(stream::pending()))
    };
    let flood = async || {
        let chunk = Bytes::from(vec![0; 64 * 1024]);
        Body::from_stream(stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone())))
    };
    Router::new()
        .route("/", get(async || "hello"))
        .route("/body", post(async |body: Bytes| body.len().to_string()))
        .route("/endless", get(endless))
        .route("/flood", get(flood))
}

/// One connection without a socket, so that its time can be paused.
fn connected() -> (DuplexStream, JoinHandle<()>) {
    let (client, server) = tokio::io::duplex(1024);
    let task = tokio::spawn(async move {
        let place = Places::of(1).take().0.unwrap();
        let (_open, closing) = watch::channel(false);
        let router = TowerToHyperService::new(router());
        converse(server, router, Bounds::default(), place, || false, closing).await;
    });
    (client, task)
}

/// Everything until the end, and after how many seconds that came.
async fn ended(client: &mut DuplexStream) -> (String, u64) {
    let began = Instant::now();
    let seen = rest(client).await;
    (seen, began.elapsed().as_secs())
}

/// A byte now and then, until nobody takes it.
async fn drip(client: &mut DuplexStream) {
    while client.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_secs(7)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_connection_before_and_after_a_request() {
    let (mut client, _task) = connected();
    assert_eq!(ended(&mut client).await, (String::new(), 300));
    let (mut client, _task) = connected();
    tokio::time::sleep(Duration::from_secs(299)).await;
    client.write_all(ASK).await.unwrap();
    let (seen, after_s) = ended(&mut client).await;
    assert!(seen.ends_with("hello"), "{seen}");
    assert_eq!(after_s, 300);
}

#[tokio::test(start_paused = true)]
async fn a_head_has_its_time_however_steadily_it_drips_and_so_has_the_next_one() {
    for before in [&b""[..], ASK] {
        let (mut client, task) = connected();
        client.write_all(before).await.unwrap();
        if !before.is_empty() {
            assert!(some(&mut client).await.ends_with("hello"));
        }
        tokio::time::sleep(Duration::from_secs(100)).await;
        let began = Instant::now();
        client.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        drip(&mut client).await;
        task.await.unwrap();
        assert_eq!(began.elapsed().as_secs(), 35, "the first drop after 30 s finds nobody");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_has_its_time_and_then_the_answer_is_408() {
    let head = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";
    let (mut client, _task) = connected();
    client.write_all(&[head, &b"half"[..]].concat()).await.unwrap();
    let (seen, after_s) = ended(&mut client).await;
    assert!(seen.starts_with("HTTP/1.1 408") && seen.contains("connection: close"), "{seen}");
    assert_eq!(after_s, 30);
    let (mut client, _task) = connected();
    client.write_all(&[head, &b"all of it"[..]].concat()).await.unwrap();
    let seen = some(&mut client).await;
    assert!(seen.ends_with('9') && seen.contains("content-length: 1\r\n"), "{seen}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_ends_and_one_that_pauses_does_not() {
    let (mut deaf, task) = connected();
    deaf.write_all(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let began = Instant::now();
    task.await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 60);
    let (mut follows, task) = connected();
    follows.write_all(FOLLOW).await.unwrap();
    while !some(&mut follows).await.contains("begun") {}
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(!task.is_finished());
    drop(follows);
    task.await.unwrap();
}

/// A port with a socket.
struct Port {
    address: SocketAddr,
    tape: Arc<Tape>,
    closing: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Port {
    async fn open(connections: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let tape = Arc::new(Tape::default());
        let overloads = Overloads::new(crate::clock::Clock::start(), Arc::clone(&tape) as _);
        let (closing, closes) = watch::channel(false);
        let bounds = Bounds { connections, ..Bounds::default() };
        let peers = Arc::default();
        let serving = Serving { name: "it", bounds, overloads, peers, tls: None, closing: closes };
        let server = tokio::spawn(serve(listener, router(), serving));
        Self { address, tape, closing, server }
    }

    async fn client(&self, says: &[u8]) -> TcpStream {
        client(self.address, says).await
    }

    /// Somebody to whom an answer is under way for ever.
    async fn follower(&self) -> TcpStream {
        let mut follows = self.client(FOLLOW).await;
        while !some(&mut follows).await.contains("begun") {}
        follows
    }

    fn said(&self) -> Vec<String> {
        let records = self.tape.0.lock().unwrap();
        let what = |record: &Record| match record {
            Record::Overload(overload) => overload.what.clone(),
            other => panic!("{other:?}"),
        };
        records.iter().map(what).collect()
    }
}

async fn client(address: SocketAddr, says: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It fails for whoever is turned away at once.
    let _ = stream.write_all(says).await;
    stream
}

/// Everything until the end, which an error is, too.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The next bytes; none at the end.
async fn some(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = [0; 4096];
    let read = stream.read(&mut bytes).await;
    String::from_utf8_lossy(&bytes[..read.unwrap_or(0)]).into_owned()
}

/// Proves that half-open clients starve nobody: they give way, whatever they have sent so far.
#[tokio::test]
async fn half_open_clients_give_way_to_whoever_asks() {
    let port = Port::open(8).await;
    let busy = port.follower().await;
    let body = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx";
    let mut held = Vec::new();
    for round in 0..30 {
        for half in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n", body] {
            held.push(port.client(half).await);
        }
        let seen = some(&mut port.client(ASK).await).await;
        assert!(seen.ends_with("hello"), "round {round}: {seen}");
    }
    assert_eq!(rest(&mut held[0]).await, "", "the first of them was ended");
    let more = busy.try_read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(more, Err(std::io::ErrorKind::WouldBlock), "an answer under way goes on");
    assert!(port.said().iter().all(|what| what == "it: too many connections at once"));
    assert!(!port.said().is_empty());
}

#[tokio::test]
async fn where_every_place_has_an_answer_under_way_a_newcomer_is_turned_away_and_that_is_said_once()
{
    let port = Port::open(1).await;
    let only = port.follower().await;
    for _ in 0..3 {
        let mut more = TcpStream::connect(port.address).await.unwrap();
        assert_eq!(rest(&mut more).await, "");
    }
    assert_eq!(port.said(), ["it: too many connections at once"]);
    drop(only);
    // It is free as soon as its leaving was noticed.
    while !some(&mut port.client(ASK).await).await.ends_with("hello") {}
}

#[tokio::test]
async fn closing_ends_idle_connections_and_waits_for_answers_under_way() {
    let port = Port::open(8).await;
    let mut idle = port.client(ASK).await;
    assert!(some(&mut idle).await.ends_with("hello"));
    let head =
        "POST /body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    let mut asking = port.client(head.as_bytes()).await;
    assert!(some(&mut asking).await.starts_with("HTTP/1.1 100"), "the request is under way");
    port.closing.send_replace(true);
    assert_eq!(rest(&mut idle).await, "");
    assert!(!port.server.is_finished());
    asking.write_all(b"ab").await.unwrap();
    let seen = rest(&mut asking).await;
    assert!(seen.starts_with("HTTP/1.1 200") && seen.ends_with('2'), "{seen}");
    port.server.await.unwrap();
}

/// Proves that all ports beside the edge are served in this way.
#[tokio::test]
async fn control_vault_and_alerts_are_not_starved() {
    let tape = Arc::new(crate::rig::Tape::default());
    let bounds = Bounds { connections: 4, ..Bounds::default() };
    let extras = Extras { bounds, ..Extras::default() };
    let mock = Arc::new(MockLinktree::start_with(config(&tape), extras).unwrap());
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let settings = ControlConfig { listen, token: None };
    let control = Control::start_bounded(Arc::clone(&mock), settings, bounds).await.unwrap();
    for (url, path) in [
        (control.url(), "/status"),
        (mock.vault_url(), "/v1/sys/health"),
        (mock.alerts_url(), "/api/v2/status"),
    ] {
        let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
        let mut held = Vec::new();
        for _ in 0..20 {
            held.push(client(address, b"GET / HTTP/1.1\r\nHost: x\r\nX: ").await);
        }
        let ask = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        let seen = some(&mut client(address, ask.as_bytes()).await).await;
        assert!(seen.starts_with("HTTP/1.1 200"), "{url}: {seen}");
        assert_eq!(rest(&mut held[0]).await, "", "{url}");
    }
    control.stop().await;
}
