//! What a client's bytes travel on: a plain connection, or an encrypted one.

use super::open::Watched;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A client's connection, ready for its first request.
pub(crate) enum Stream {
    /// Everybody on the way reads along.
    Plain(TcpStream),
    /// Nobody does.
    Tls(Box<Secured>),
}

/// An encrypted connection.
pub(crate) struct Secured {
    pub(super) stream: TlsStream<TcpStream>,
    /// Looks at what comes over it, where its certificate was bad.
    pub(super) watched: Option<Watched>,
}

impl Stream {
    /// Makes the close that follows an RST.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.set_zero_linger(),
            Self::Tls(secured) => secured.stream.get_ref().0.set_zero_linger(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(secured) => {
                let before = buffer.filled().len();
                let read = Pin::new(&mut secured.stream).poll_read(context, buffer);
                if let (Some(watched), Poll::Ready(read)) = (&mut secured.watched, &read) {
                    match read {
                        Ok(()) => watched.came(&buffer.filled()[before..]),
                        Err(error) => watched.failed(error),
                    }
                }
                read
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(secured) => Pin::new(&mut secured.stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(secured) => Pin::new(&mut secured.stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(secured) => Pin::new(&mut secured.stream).poll_shutdown(context),
        }
    }
}
