//! A client's socket that keeps the time: silence, a slow head and an unread answer end it.

use super::Bounds;
use super::places::Claim;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A socket with its bounds.
pub(super) struct Connection<S> {
    stream: S,
    bounds: Bounds,
    claim: Arc<Claim>,
    phase: Phase,
    /// When the next byte must have come.
    read_by: Pin<Box<Sleep>>,
    /// When the next byte must have been taken, while the client takes none.
    written_by: Option<Pin<Box<Sleep>>>,
}

/// What is awaited from the client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A request.
    Request,
    /// The rest of a head.
    Head,
    /// Nothing that has its time here: it is a request's body, or the answer is under way.
    Nothing,
}

impl<S> Connection<S> {
    pub fn new(stream: S, bounds: Bounds, claim: Arc<Claim>) -> Self {
        let read_by = Box::pin(tokio::time::sleep(bounds.idle));
        Self { stream, bounds, claim, phase: Phase::Request, read_by, written_by: None }
    }

    fn enter(&mut self, phase: Phase, within: Duration) {
        self.phase = phase;
        self.read_by.as_mut().reset(Instant::now() + within);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Bounds { idle, head, .. } = self.bounds;
        if !self.claim.is_silent(context.waker()) {
            self.phase = Phase::Nothing;
        } else if self.phase == Phase::Nothing {
            self.enter(Phase::Request, idle);
        }
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            if self.phase == Phase::Request && buffer.filled().len() > before {
                self.enter(Phase::Head, head);
            }
            return Poll::Ready(read);
        }
        if self.phase == Phase::Nothing {
            return Poll::Pending;
        }
        ready!(self.read_by.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(context, bytes) {
            self.written_by = None;
            return Poll::Ready(written);
        }
        let unread = self.bounds.unread;
        let by = self.written_by.get_or_insert_with(|| Box::pin(tokio::time::sleep(unread)));
        ready!(by.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
