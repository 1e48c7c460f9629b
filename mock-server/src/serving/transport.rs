//! A connection to a server beside the edge: plain, or encrypted after a handshake of its own, for which
//! nobody else waits.

use crate::contract::Listener as Server;
use crate::tls::{Stream, Tls};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

type Handshake = Pin<Box<dyn Future<Output = Option<Stream>> + Send>>;

/// What a client's bytes come over.
pub(super) enum Transport {
    /// The handshake goes on, and whoever reads carries it on.
    Greeting(Handshake),
    /// It can be read and written.
    Ready(Stream),
    /// There was no handshake, and there is nothing.
    Ended,
}

impl Transport {
    /// That of a connection which was accepted just now.
    pub fn of(stream: TcpStream, tls: Option<(Server, Arc<Tls>)>) -> Self {
        let Some((server, tls)) = tls else { return Self::Ready(Stream::Plain(stream)) };
        Self::Greeting(Box::pin(async move {
            let fault = tls.fault(server);
            let accepted = tls.accept(stream, server, None, fault, Box::new(|| None)).await;
            accepted.ok()
        }))
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Pin<&mut Stream>>> {
        if let Self::Greeting(handshake) = self {
            let greeted = ready!(handshake.as_mut().poll(context));
            *self = greeted.map_or(Self::Ended, Self::Ready);
        }
        match self {
            Self::Ready(stream) => Poll::Ready(Ok(Pin::new(stream))),
            Self::Greeting(_) | Self::Ended => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.get_mut().poll_ready(context))?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.get_mut().poll_ready(context))?.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Ready(stream) => Pin::new(stream).poll_flush(context),
            Self::Greeting(_) | Self::Ended => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Ready(stream) => Pin::new(stream).poll_shutdown(context),
            // Nothing was said yet, so that there is nothing to end.
            Self::Greeting(_) | Self::Ended => Poll::Ready(Ok(())),
        }
    }
}
