//! One connection's handshake, and the faults that happen in it.

use super::open::{BrokenBy, OpenHandshake, Watched};
use super::stream::{Secured, Stream};
use super::{Tls, past};
use crate::contract::Listener;
use crate::faults::{Accept, Effect, FaultMark, HandshakeFlaw, Onset};
use crate::history::exchange::End;
use crate::history::handshake::{Certificate, HandshakeEnd};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;

/// From the connection to the end of the handshake. nginx gives 60 s; a head has 30 s here, too.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first byte of a handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;

/// What nginx and Apache say to whoever speaks in the clear.
const IN_THE_CLEAR: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\
    content-length: 51\r\n\r\nThis port speaks TLS; the address begins with https";

/// A connection that carries no request.
pub(crate) struct Broken {
    /// The fault that broke it, if it was one and the client has met it.
    pub mark: Option<FaultMark>,
    /// Who broke it off.
    pub end: End,
}

impl Broken {
    /// Nothing was said.
    const NOTHING: Self = Self { mark: None, end: End::ClientAbort };
}

impl Tls {
    /// What a rule does to a connection to this server.
    pub fn fault(&self, listener: Listener) -> Option<(Effect, FaultMark)> {
        let since_armed = self.shared.world.ms_since_armed(self.clock.now());
        self.shared.engine.connection(listener, since_armed)
    }

    /// Whether a request to this server must have a connection of its own just now, to meet what happens
    /// in handshakes.
    pub fn hits_handshakes(&self, listener: Listener) -> bool {
        let since_armed = self.shared.world.ms_since_armed(self.clock.now());
        since_armed.is_some_and(|ms| self.shared.engine.hits_handshakes(listener, ms))
    }

    /// Does the server's part of a handshake, or whatever was decided instead, and records it.
    /// Effects that are none of TLS are ignored. Whoever drops this says in `broken_by` why.
    pub async fn accept(
        &self,
        mut stream: TcpStream,
        listener: Listener,
        conn: Option<u64>,
        fault: Option<(Effect, FaultMark)>,
        broken_by: BrokenBy,
    ) -> Result<Stream, Broken> {
        let onset = |(effect, _): &(Effect, FaultMark)| effect.shape().onset;
        let (flaw, how) = match fault.as_ref().map(onset) {
            Some(Onset::Accept(Accept::Certificate(flaw))) => (Some(flaw), None),
            Some(Onset::Accept(Accept::Handshake(how))) => (None, Some(how)),
            _ => (None, None),
        };
        let mark = fault.map(|(_, mark)| mark).filter(|_| flaw.is_some() || how.is_some());
        let mut open = OpenHandshake::new(self, listener, conn, mark.clone(), broken_by);
        let mut first = [0];
        let Ok(Ok(1)) = tokio::time::timeout(PATIENCE, stream.peek(&mut first)).await else {
            // Whoever leaves without a byte, or never sends one, has met nothing.
            return Err(Broken::NOTHING);
        };
        open.begin();
        if first[0] != HANDSHAKE {
            return Err(in_the_clear(stream, open).await);
        }
        let by_client = Broken { mark: mark.clone(), end: End::ClientAbort };
        if how == Some(HandshakeFlaw::Silent) {
            let mut sink = [0; 4096];
            while matches!(stream.read(&mut sink).await, Ok(1..)) {}
            open.finish(HandshakeEnd::HungUp);
            return Err(by_client);
        }
        let greeting = LazyConfigAcceptor::new(Acceptor::default(), stream);
        let mut start = match tokio::time::timeout(PATIENCE, greeting).await.map_err(too_late) {
            Ok(Ok(start)) => start,
            Ok(Err(error)) | Err(error) => {
                open.fail(&error);
                return Err(by_client);
            }
        };
        let (server_name, offered) = {
            let hello = start.client_hello();
            (hello.server_name().map(str::to_owned), hello.cipher_suites().to_vec())
        };
        open.record.server_name = server_name;
        if how == Some(HandshakeFlaw::OldProtocol) {
            let said = tokio::time::timeout(PATIENCE, past::answer(&mut start.io, &offered)).await;
            let end = match said {
                Ok(Ok(Some(alert))) => {
                    open.record.alert = Some(alert);
                    HandshakeEnd::Alert
                }
                Ok(_) => HandshakeEnd::HungUp,
                Err(_) => HandshakeEnd::Failed,
            };
            open.record.version = Some("TLSv1_0".to_owned());
            open.finish(end);
            return Err(by_client);
        }
        open.record.shown = Some(Certificate::of(flaw));
        let rest = start.into_stream(self.authority.server(flaw));
        let stream = match tokio::time::timeout(PATIENCE, rest).await.map_err(too_late) {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) | Err(error) => {
                open.fail(&error);
                return Err(by_client);
            }
        };
        let version = stream.get_ref().1.protocol_version();
        open.record.version = version.and_then(|version| version.as_str()).map(str::to_owned);
        open.record.end = HandshakeEnd::Completed;
        if how == Some(HandshakeFlaw::Reset) {
            // It fails only for a socket that is gone already.
            let _ = stream.get_ref().0.set_zero_linger();
            return Err(Broken { mark, end: End::ServerReset });
        }
        let watched = open.record.is_untrustworthy().then(|| Watched::new(open));
        Ok(Stream::Tls(Box::new(Secured { stream, watched })))
    }
}

/// Looks at what a client says that does not encrypt, and tells it.
async fn in_the_clear(mut stream: TcpStream, mut open: OpenHandshake) -> Broken {
    open.record.end = HandshakeEnd::Plain;
    let mut watched = Watched::new(open);
    let mut said = Vec::with_capacity(4096);
    let head = async {
        while !said.windows(4).any(|four| four == b"\r\n\r\n") && said.len() < 16 * 1024 {
            let before = said.len();
            if !matches!(stream.read_buf(&mut said).await, Ok(1..)) {
                return;
            }
            watched.came(&said[before..]);
        }
        // A client that has gone does not need it.
        let _ = stream.write_all(IN_THE_CLEAR).await;
        let _ = stream.shutdown().await;
    };
    let _ = tokio::time::timeout(PATIENCE, head).await;
    Broken::NOTHING
}

fn too_late(_: tokio::time::error::Elapsed) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, tokio_rustls::rustls::Error::HandshakeNotComplete)
}
