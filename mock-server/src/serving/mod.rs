//! Serves HTTP on the ports beside the edge, in one way for all of them: control API, vault, alerts.
//!
//! A client that opens connections and does not get on with its requests costs others nothing: a head
//! has its time, and so have silence, a request without its answer, and an answer that nobody reads.
//! Where all places are taken, whoever has the smallest claim to one gives way to the newcomer, here and
//! at the edge.

mod connection;
pub(crate) mod places;
mod transport;

use crate::contract::Listener as Server;
use crate::listen::Peers;
use crate::overload::Overloads;
use crate::tls::Tls;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use connection::Connection;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use places::{Answering, Place, Places};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use transport::Transport;

/// How long to wait before accepting again after a failure such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// What clients of one port can hold, in real time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Most connections at once.
    pub connections: usize,
    /// A connection on which nothing is asked for so long is closed.
    pub idle: Duration,
    /// From the first byte of a head to its last; then the connection is closed.
    pub head: Duration,
    /// From the last byte of a head to the first of the answer, so that a body has its time, too;
    /// then 408.
    pub answer: Duration,
    /// How long a client may take no byte of its answer; then the connection is closed.
    pub unread: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            // A service has some tens of them, and each is an open file of this process.
            connections: 512,
            // Vault's own `http_idle_timeout` is five minutes, too.
            idle: Duration::from_secs(300),
            // As at the edge: nginx gives 60 s, Apache 20 to 40.
            head: Duration::from_secs(30),
            answer: Duration::from_secs(30),
            unread: Duration::from_secs(60),
        }
    }
}

/// How one port is served.
pub(crate) struct Serving {
    /// What it is called where it is overloaded.
    pub name: &'static str,
    pub bounds: Bounds,
    pub overloads: Overloads,
    /// Who may connect.
    pub peers: Arc<Peers>,
    /// How to encrypt, and as whom, if that is what the port does. A handshake has its time, and no more
    /// claim to a place than any other silence.
    pub tls: Option<(Server, Arc<Tls>)>,
    /// Turns true, or goes, when no more connections shall be accepted.
    pub closing: watch::Receiver<bool>,
}

/// Serves until it is closing, and then until the answers under way have been sent.
pub(crate) async fn serve(listener: TcpListener, router: Router, serving: Serving) {
    let Serving { name, bounds, overloads, peers, tls, mut closing } = serving;
    let say = |what: &str| overloads.say(&format!("{name}: {what}"));
    let (places, router) = (Places::of(bounds.connections), TowerToHyperService::new(router));
    // Each connection has the sender's end: all are over when there is none left.
    let (open, mut all_over) = mpsc::channel::<Infallible>(1);
    loop {
        let accepted = tokio::select! {
            _ = closing.wait_for(|closing| *closing) => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, from)) if peers.admit(from) => stream,
            Ok(_) => continue,
            Err(error) => {
                say(&format!("failed to accept a connection: {error}"));
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Without it, small answers wait for the client's acknowledgement.
        let _ = stream.set_nodelay(true);
        let (place, was_full) = places.take();
        if was_full {
            say("too many connections at once");
        }
        let Some(place) = place else { continue };
        let ends = {
            let tls = tls.clone();
            move || tls.as_ref().is_some_and(|(server, tls)| tls.hits_handshakes(*server))
        };
        let stream = Transport::of(stream, tls.clone());
        let (router, closing, open) = (router.clone(), closing.clone(), open.clone());
        tokio::spawn(async move {
            let _open = open;
            converse(stream, router, bounds, place, ends, closing).await;
        });
    }
    drop((listener, open));
    let _ = all_over.recv().await;
}

/// One connection, from its first byte to its last; `ends` says of each answer whether it is the last one.
async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send>(
    stream: S,
    router: TowerToHyperService<Router>,
    bounds: Bounds,
    place: Place,
    ends: impl Fn() -> bool,
    mut closing: watch::Receiver<bool>,
) {
    let (claim, ends) = (&place.claim, &ends);
    let answers = service_fn(|request: Request<Incoming>| {
        let answering = claim.ask();
        let answer = router.call(request);
        async move {
            let mut answer = match tokio::time::timeout(bounds.answer, answer).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(never)) => match never {},
                Err(_) => too_slow(),
            };
            if ends() {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(header::CONNECTION, close);
            }
            answering.answered();
            Ok::<_, Infallible>(answer.map(|body| Answer { body, _answering: answering }))
        }
    });
    let stream = Connection::new(stream, bounds, Arc::clone(claim));
    // The connection itself keeps the time: hyper's own limit for a head counts idle time as well.
    let mut http = http1::Builder::new();
    let connection = http.header_read_timeout(None).serve_connection(TokioIo::new(stream), answers);
    tokio::pin!(connection);
    let mut is_closing = false;
    loop {
        tokio::select! {
            // A client that left, or was too slow, needs no word.
            _ = connection.as_mut() => return,
            () = claim.gives_way() => return,
            _ = closing.wait_for(|closing| *closing), if !is_closing => {
                is_closing = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn too_slow() -> Response<Body> {
    let close = [(header::CONNECTION, "close")];
    (StatusCode::REQUEST_TIMEOUT, close, "the request did not come in time\n").into_response()
}

/// An answer's body, which is under way for as long as it lives.
struct Answer {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Answer {
    type Data = <Body as HttpBody>::Data;
    type Error = <Body as HttpBody>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
