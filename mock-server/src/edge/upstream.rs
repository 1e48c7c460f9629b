//! Forwards requests to wiremock on loopback, and replaces wiremock before it has grown too large.
//!
//! Every mounted mock keeps a clone of every request that it matched, for as long as its server
//! lives. So after a number of requests a fresh server takes over; the old one is dropped with the
//! last request that it is answering.

use super::head::Head;
use super::tuning::Tuning;
use crate::rendezvous::{EXCHANGE_HEADER, PRIVATE_PREFIX};
use crate::routes::{Shared, mount};
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use wiremock::MockServer;

/// A route answers at once; longer means that the machine is overloaded.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hop-by-hop headers, and those that the edge writes itself.
const OWN_HEADERS: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "content-length",
    "expect",
];

/// Whether a header goes no further than this hop.
pub(super) fn is_own(name: &str) -> bool {
    OWN_HEADERS.contains(&name) || name.starts_with(PRIVATE_PREFIX)
}

/// An answer of wiremock, before anything happens to it.
#[derive(Clone, Debug, Default)]
pub(super) struct UpstreamAnswer {
    pub status: u16,
    pub reason: String,
    /// Names in lower case, without hop-by-hop and private headers.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// It answers a `HEAD`: nothing is known of the length that a body would have.
    pub to_head: bool,
}

struct Backend {
    server: MockServer,
    idle: RefCell<Vec<TcpStream>>,
}

/// The wiremock server that answers at present.
pub(super) struct Upstream {
    shared: Arc<Shared>,
    current: RefCell<Rc<Backend>>,
    forwarded: Cell<u64>,
    swap_after: u64,
    swaps: Cell<u64>,
    places: Semaphore,
}

impl Upstream {
    pub async fn start(shared: Arc<Shared>, tuning: &Tuning) -> io::Result<Self> {
        let current = RefCell::new(Rc::new(Backend::start(&shared).await?));
        let (forwarded, swaps) = (Cell::new(0), Cell::new(0));
        let swap_after = tuning.swap_after.max(1);
        let places = Semaphore::new(tuning.backend.max(1));
        Ok(Self { shared, current, forwarded, swap_after, swaps, places })
    }

    /// How often wiremock was replaced.
    pub fn swaps(&self) -> u64 {
        self.swaps.get()
    }

    /// True once for every `swap_after` requests: the caller shall then [`Self::swap`].
    pub fn is_full(&self) -> bool {
        let full = self.forwarded.get() >= self.swap_after;
        if full {
            self.forwarded.set(0);
        }
        full
    }

    /// Puts a fresh server in place; requests that are under way finish on the old one.
    pub async fn swap(&self) -> io::Result<()> {
        let fresh = Rc::new(Backend::start(&self.shared).await?);
        self.current.replace(fresh);
        self.swaps.set(self.swaps.get() + 1);
        Ok(())
    }

    /// Sends a request to the routes and reads their answer.
    pub async fn forward(&self, id: u64, head: &Head, body: &[u8]) -> io::Result<UpstreamAnswer> {
        self.forwarded.set(self.forwarded.get() + 1);
        let request = written(id, head, body);
        // Also bounds the idle connections: there are never more than were busy at once.
        let _place = self.places.acquire().await.map_err(io::Error::other)?;
        let backend = Rc::clone(&self.current.borrow());
        match backend
            .forward(&head.method, &request, || self.shared.rendezvous.is_untouched(id))
            .await
        {
            // A wiremock that has failed to accept once never accepts again (0.6.5).
            Err(_) if self.shared.rendezvous.is_untouched(id) => {
                if Rc::ptr_eq(&backend, &self.current.borrow()) {
                    self.swap().await?;
                }
                let backend = Rc::clone(&self.current.borrow());
                backend.forward(&head.method, &request, || false).await
            }
            answered => answered,
        }
    }
}

impl Backend {
    async fn start(shared: &Arc<Shared>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        let server =
            MockServer::builder().listener(listener).disable_request_recording().start().await;
        mount(&server, shared).await;
        Ok(Self { server, idle: RefCell::default() })
    }

    /// Asks over an idle connection, or over a new one when that fails and `may_repeat`.
    async fn forward(
        &self,
        method: &str,
        request: &[u8],
        may_repeat: impl Fn() -> bool,
    ) -> io::Result<UpstreamAnswer> {
        let work = async {
            let idle = self.idle.borrow_mut().pop();
            if let Some(stream) = idle {
                match ask(stream, method, request).await {
                    Err(_) if may_repeat() => {}
                    answered => return answered,
                }
            }
            let stream = TcpStream::connect(self.server.address()).await?;
            stream.set_nodelay(true)?;
            ask(stream, method, request).await
        };
        let (answer, stream) = tokio::time::timeout(PATIENCE, work).await.map_err(|_| {
            io::Error::new(io::ErrorKind::TimedOut, "the routes did not answer in time")
        })??;
        self.idle.borrow_mut().push(stream);
        Ok(answer)
    }
}

impl Drop for Backend {
    /// A reset leaves nothing behind, where a plain close would keep a port busy for a minute:
    /// wiremock is replaced several times a second under load, and ports would run out.
    fn drop(&mut self) {
        for stream in self.idle.get_mut() {
            let _ = stream.set_zero_linger();
        }
    }
}

pub(super) fn written(id: u64, head: &Head, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(512 + body.len());
    // The routes know paths only, and the whole server is none of them.
    let target = if head.target == "*" { "/*" } else { &head.target };
    out.extend_from_slice(format!("{} {target} HTTP/1.1\r\n", head.method).as_bytes());
    out.extend_from_slice(b"host: mock\r\n");
    for (name, value) in &head.headers {
        if name != "host" && !is_own(name) {
            push_header(&mut out, name, value);
        }
    }
    push_header(&mut out, EXCHANGE_HEADER, id.to_string().as_bytes());
    push_header(&mut out, "content-length", body.len().to_string().as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

/// Appends one header line.
pub(super) fn push_header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

async fn ask(
    mut stream: TcpStream,
    method: &str,
    request: &[u8],
) -> io::Result<(UpstreamAnswer, TcpStream)> {
    stream.write_all(request).await?;
    let mut bytes = Vec::with_capacity(4096);
    let (mut answer, start, length) = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(found) = answer_head(&bytes)? {
            break found;
        }
    };
    let bodiless = method == "HEAD" || answer.status == 304 || answer.status == 204;
    let end = start + if bodiless { 0 } else { length };
    while bytes.len() < end {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    answer.body = bytes[start..end].to_vec();
    answer.to_head = method == "HEAD";
    Ok((answer, stream))
}

/// Head, its length and the body's length, once the head is whole.
fn answer_head(bytes: &[u8]) -> io::Result<Option<(UpstreamAnswer, usize, usize)>> {
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut slots);
    let start = match response.parse(bytes) {
        Ok(httparse::Status::Complete(start)) => start,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    };
    let mut length = 0;
    let mut headers = Vec::new();
    for header in response.headers.iter() {
        let name = header.name.to_ascii_lowercase();
        if name == "content-length" {
            let text = std::str::from_utf8(header.value).unwrap_or_default();
            length = text.parse().map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        }
        if !is_own(&name) {
            headers.push((name, header.value.to_vec()));
        }
    }
    let status = response.code.unwrap_or(500);
    let reason = response.reason.unwrap_or_default().to_owned();
    Ok(Some((
        UpstreamAnswer { status, reason, headers, ..UpstreamAnswer::default() },
        start,
        length,
    )))
}
