//! A client's socket: every read and write has its time limit, and every close its manner.

use super::act::Gone;
use super::alarm::Alarm;
use super::body::{BodyReader, Framing};
use super::head::{Head, Parsed, empty_lines};
use super::tuning::Tuning;
use crate::clock::{Clock, Moment};
use crate::tls::Stream;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes of later requests that are read ahead, at most, while an answer is held back.
const READ_AHEAD: usize = 1024 * 1024;

/// A buffer that has grown beyond this is given back when it is empty.
const ROOM: usize = 16 * 1024;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A client's socket, what was read from it, and when.
pub(super) struct Client {
    stream: Stream,
    clock: Clock,
    tuning: Tuning,
    buffer: Vec<u8>,
    last_read: Moment,
    alarm: Alarm,
    resets: bool,
}

/// What comes next on a connection.
pub(super) enum Arrival {
    /// A request's head, and when its first byte came.
    Request(Head, Moment),
    /// Nothing more, or nothing that has a name.
    Closed,
    /// Bytes that are no request, or too slow: the status to refuse them with.
    Bad(u16, Moment),
}

/// Why there is no body.
pub(super) enum NoBody {
    /// The client left before its end.
    Gone,
    /// It is wrong, too large or too slow: the status to refuse it with.
    Bad(u16),
}

enum Read {
    Some,
    End,
    TooLate,
}

impl Client {
    pub fn new(stream: Stream, clock: Clock, tuning: Tuning) -> Self {
        let (buffer, last_read) = (Vec::with_capacity(4096), clock.now());
        let alarm = Alarm::default();
        Self { stream, clock, tuning, buffer, last_read, alarm, resets: false }
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// When the last bytes came.
    pub fn last_read(&self) -> Moment {
        self.last_read
    }

    /// Waits, but not for a client that leaves: its FIN or RST ends the wait at once.
    ///
    /// A FIN may also come from a client that has only finished sending, and would still read. The
    /// two look the same until something is written, and the moment at which a client gives up is
    /// evidence; so here a FIN means leaving. Where nothing delays an answer there is no wait, and
    /// a half-closed client gets it.
    pub async fn wait_until(&mut self, moment: Moment) -> Result<(), Gone> {
        let deadline = tokio::time::Instant::from_std(self.clock.instant(moment));
        self.wait_for(tokio::time::sleep_until(deadline)).await
    }

    /// Waits like [`Self::wait_until`], for anything.
    pub async fn wait_for(&mut self, done: impl Future<Output = ()>) -> Result<(), Gone> {
        tokio::pin!(done);
        loop {
            let room = self.buffer.len() < READ_AHEAD;
            tokio::select! {
                () = &mut done => return Ok(()),
                read = self.stream.read_buf(&mut self.buffer), if room => match read {
                    Ok(0) | Err(_) => return Err(Gone),
                    Ok(_) => self.last_read = self.clock.now(),
                },
            }
        }
    }

    /// Waits for the client to leave, however long that takes.
    pub async fn wait_gone(&mut self) -> Gone {
        loop {
            if self.buffer.len() >= READ_AHEAD {
                self.buffer.clear(); // this connection will never answer another request
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return Gone,
                Ok(_) => {}
            }
        }
    }

    /// Writes everything. A client that accepts nothing for long is reset, and counts as gone.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Gone> {
        loop {
            // Only the kernel's word counts: what is encrypted may still lie in memory.
            let left = bytes.len();
            let stream = &mut self.stream;
            let step = async {
                if left == 0 { stream.flush().await.map(|()| 0) } else { stream.write(bytes).await }
            };
            let mut step = pin!(step);
            // Mostly the kernel takes it at once, and no clock is needed.
            let at_once = poll_fn(|context| Poll::Ready(step.as_mut().poll(context)));
            let done = match at_once.await {
                Poll::Ready(done) => Ok(done),
                Poll::Pending => tokio::time::timeout(self.tuning.unread, step).await,
            };
            match done {
                Ok(Ok(0)) if left == 0 => return Ok(()),
                Ok(Ok(count @ 1..)) => bytes = &bytes[count..],
                Ok(_) => return Err(Gone),
                Err(_) => {
                    // Otherwise the kernel would keep what is unsent for a client that never reads.
                    self.reset();
                    return Err(Gone);
                }
            }
        }
    }

    /// Makes the close that follows an RST.
    pub fn reset(&mut self) {
        // It fails only for a socket that is gone already.
        let _ = self.stream.set_zero_linger();
        self.resets = true;
    }

    async fn read_until(&mut self, limit: Moment) -> Read {
        let deadline = tokio::time::Instant::from_std(self.clock.instant(limit));
        let Self { stream, buffer, alarm, .. } = self;
        let mut read = pin!(stream.read_buf(buffer));
        let came = poll_fn(|context| {
            if let Poll::Ready(came) = read.as_mut().poll(context) {
                return Poll::Ready(Some(came));
            }
            alarm.poll_until(deadline, context).map(|()| None)
        });
        match came.await {
            None => return Read::TooLate,
            Some(Ok(1..)) => {}
            Some(_) => return Read::End,
        }
        self.last_read = self.clock.now();
        Read::Some
    }

    /// The next request's head. A client that leaves in the middle of one has asked for nothing
    /// that could be named, so that is no exchange.
    pub async fn next(&mut self) -> Arrival {
        let began = self.clock.now();
        let mut t_head = None;
        loop {
            self.buffer.drain(..empty_lines(&self.buffer));
            if self.buffer.is_empty() {
                t_head = None;
                if self.buffer.capacity() > ROOM {
                    self.buffer = Vec::with_capacity(ROOM);
                }
                match self.read_until(began.plus(self.tuning.idle)).await {
                    Read::Some => continue,
                    Read::End | Read::TooLate => return Arrival::Closed,
                }
            }
            let t_head = *t_head.get_or_insert(self.last_read);
            match Head::parse(&self.buffer) {
                Parsed::Whole(head) => {
                    self.buffer.drain(..head.len);
                    return Arrival::Request(head, t_head);
                }
                Parsed::Bad(status) => return Arrival::Bad(status, t_head),
                Parsed::Partial => {
                    // What was read ahead, while an answer was held back, has its time still.
                    let limit = t_head.max(began).plus(self.tuning.head);
                    match self.read_until(limit).await {
                        Read::Some => {}
                        Read::End => return Arrival::Closed,
                        Read::TooLate => return Arrival::Bad(408, t_head),
                    }
                }
            }
        }
    }

    /// The body of the request whose head was just read.
    pub async fn body(&mut self, head: &Head, reader: &mut BodyReader) -> Result<Vec<u8>, NoBody> {
        let began = self.clock.now();
        if !reader.has_begun() && self.wants_continue(head) {
            self.write(CONTINUE).await.map_err(|Gone| NoBody::Gone)?;
        }
        loop {
            if let Some(body) = self.taken(reader) {
                return body;
            }
            match self.read_until(body_limit(&self.tuning, began, self.last_read)).await {
                Read::Some => {}
                Read::End => return Err(NoBody::Gone),
                Read::TooLate => return Err(NoBody::Bad(408)),
            }
        }
    }

    /// The same, if nothing more needs to be written or read.
    pub fn body_at_once(
        &mut self,
        head: &Head,
        reader: &mut BodyReader,
    ) -> Option<Result<Vec<u8>, NoBody>> {
        if self.wants_continue(head) { None } else { self.taken(reader) }
    }

    fn taken(&mut self, reader: &mut BodyReader) -> Option<Result<Vec<u8>, NoBody>> {
        match reader.take(&mut self.buffer) {
            Parsed::Whole(body) => Some(Ok(body)),
            Parsed::Bad(status) => Some(Err(NoBody::Bad(status))),
            Parsed::Partial => None,
        }
    }

    fn wants_continue(&self, head: &Head) -> bool {
        head.minor == 1
            && head.framing().is_ok_and(|framing| framing != Framing::Length(0))
            && self.buffer.is_empty()
            && head.names("expect", "100-continue")
    }

    /// Closes: at once with an RST if that was asked for, otherwise so that a client that is still
    /// sending can read the answer.
    pub async fn close(mut self) {
        if self.resets || self.stream.shutdown().await.is_err() {
            return;
        }
        let drain = async {
            let mut sink = [0; 4096];
            while matches!(self.stream.read(&mut sink).await, Ok(1..)) {}
        };
        // Whoever does not stop sending in time gets an RST instead.
        let _ = tokio::time::timeout(self.tuning.linger, drain).await;
    }
}

/// Until when the next byte of a body must be there.
fn body_limit(tuning: &Tuning, began: Moment, last_read: Moment) -> Moment {
    let silence = last_read.max(began).plus(tuning.body_silence);
    silence.min(began.plus(tuning.body_total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_body_may_be_silent_for_so_long_and_take_so_long_in_all() {
        let tuning = Tuning {
            body_silence: Duration::from_secs(30),
            body_total: Duration::from_secs(300),
            ..Tuning::default()
        };
        let check = |began: u64, last_read: u64, expected: u64| {
            let at = |s: u64| Moment::from_ms(s * 1_000);
            assert_eq!(body_limit(&tuning, at(began), at(last_read)), at(expected));
        };
        check(100, 100, 130); // it came with the head
        check(100, 20, 130); // it was read ahead long ago
        check(100, 150, 180); // every byte buys more time …
        check(100, 390, 400); // … but not for ever
    }
}
