//! One kept connection to wiremock that carries many requests at once.
//!
//! Requests go out in one write for all that were asked in the same turn of the loop, or at once when
//! nothing else is under way; HTTP/1.1 answers them in order. So whoever asks gets a place in a queue,
//! and the connection's own task hands each answer to the first that waits.

use super::alarm::Alarm;
use super::message::UpstreamAnswer;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A buffer that has grown beyond this is given back when it is empty.
const ROOM: usize = 64 * 1024;

/// The connection, and who waits on it.
pub(super) struct Pipe {
    stream: RefCell<TcpStream>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// What is to be written, and how much of it was.
    out: Vec<u8>,
    written: usize,
    /// Those whose answers are still to come, in the order of their requests.
    queue: VecDeque<Waiting>,
    slots: Vec<Slot>,
    free: Vec<usize>,
    /// When somebody may have waited for too long; never later than that.
    next_due: Option<Instant>,
    /// The task that reads and writes.
    worker: Option<Waker>,
    /// Nobody may ask any more: it broke, or somebody has waited for too long.
    retired: bool,
}

struct Waiting {
    slot: usize,
    to_head: bool,
    due: Instant,
}

/// What has become of one request.
enum Slot {
    Free,
    Waiting(Option<Waker>),
    /// It has waited for too long, and does not know it yet.
    Late,
    /// Nobody wants its answer any more.
    Left,
    Done(io::Result<UpstreamAnswer>),
}

/// An answer to come.
struct Asked<'a> {
    pipe: &'a Pipe,
    slot: usize,
    is_over: bool,
}

impl Pipe {
    pub fn new(stream: TcpStream) -> Rc<Self> {
        Rc::new(Self { stream: RefCell::new(stream), state: RefCell::default() })
    }

    /// How many answers are still to come.
    pub fn load(&self) -> usize {
        self.state.borrow().queue.len()
    }

    /// Whether requests are gathered that go out with the next write.
    pub fn gathers(&self) -> bool {
        !self.state.borrow().out.is_empty()
    }

    /// Whether it takes no more requests.
    pub fn is_retired(&self) -> bool {
        self.state.borrow().retired
    }

    /// Makes the close that follows an RST, which keeps no port busy.
    pub fn set_zero_linger(&self) {
        let _ = self.stream.borrow().set_zero_linger();
    }

    /// Appends a request by `write`, and waits for its answer until `due`.
    pub async fn ask(
        &self,
        to_head: bool,
        due: Instant,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<UpstreamAnswer> {
        let slot = {
            let state = &mut *self.state.borrow_mut();
            if state.retired {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            write(&mut state.out);
            let slot = state.free.pop().unwrap_or(state.slots.len());
            if slot == state.slots.len() {
                state.slots.push(Slot::Free);
            }
            state.slots[slot] = Slot::Waiting(None);
            let is_alone = state.queue.is_empty();
            state.queue.push_back(Waiting { slot, to_head, due });
            state.next_due = state.next_due.into_iter().chain([due]).min();
            if is_alone && state.written == 0 {
                self.write_now(state);
            }
            state.wake_worker();
            slot
        };
        Asked { pipe: self, slot, is_over: false }.await
    }

    /// Spares a lone request the way over the worker. What cannot be written now is left to it.
    fn write_now(&self, state: &mut State) {
        if let Ok(count) = self.stream.borrow().try_write(&state.out) {
            state.wrote(count);
        }
    }

    /// Reads and writes until the connection breaks.
    pub async fn work(self: Rc<Self>) {
        let mut bytes = Vec::with_capacity(ROOM / 4);
        let mut alarm = Alarm::default();
        let worked = poll_fn(|context| {
            self.state.borrow_mut().wake_by(context.waker());
            if let Err(error) = self.turn(context, &mut bytes) {
                return Poll::Ready(error);
            }
            self.watch(context, &mut alarm);
            Poll::Pending
        });
        let kind = worked.await.kind();
        self.state.borrow_mut().break_off(kind);
    }

    /// Writes what was asked, and hands out what has come.
    fn turn(&self, context: &mut Context<'_>, bytes: &mut Vec<u8>) -> io::Result<()> {
        let state = &mut *self.state.borrow_mut();
        let stream = &mut *self.stream.borrow_mut();
        while state.written < state.out.len() {
            match pin!(stream.write(&state.out[state.written..])).poll(context) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(count) => state.wrote(count?),
                Poll::Pending => break,
            }
        }
        while let Poll::Ready(read) = pin!(stream.read_buf(bytes)).poll(context) {
            let ended = read? == 0;
            let mut taken = 0;
            while let Some(next) = state.queue.front() {
                let read = UpstreamAnswer::read(&bytes[taken..], next.to_head)?;
                let Some((answer, length)) = read else { break };
                taken += length;
                state.answer(Ok(answer));
            }
            bytes.drain(..taken);
            // What nobody asked for would be taken for the next one's answer.
            if ended || (state.queue.is_empty() && !bytes.is_empty()) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        if bytes.is_empty() && bytes.capacity() > ROOM {
            bytes.shrink_to(ROOM);
        }
        Ok(())
    }

    /// Tells those whose time is up.
    fn watch(&self, context: &mut Context<'_>, alarm: &mut Alarm) {
        let state = &mut *self.state.borrow_mut();
        while let Some(first) = state.next_due {
            if alarm.poll_until(first, context).is_pending() {
                return;
            }
            state.expire();
        }
    }
}

impl Future for Asked<'_> {
    type Output = io::Result<UpstreamAnswer>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (pipe, slot) = (self.pipe, self.slot);
        let state = &mut *pipe.state.borrow_mut();
        let answer = match std::mem::replace(&mut state.slots[slot], Slot::Left) {
            Slot::Waiting(_) => {
                state.slots[slot] = Slot::Waiting(Some(context.waker().clone()));
                return Poll::Pending;
            }
            Slot::Done(answer) => {
                state.release(slot);
                answer
            }
            Slot::Late | Slot::Left | Slot::Free => Err(late()),
        };
        self.is_over = true;
        Poll::Ready(answer)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let state = &mut *self.pipe.state.borrow_mut();
        match std::mem::replace(&mut state.slots[self.slot], Slot::Left) {
            Slot::Done(_) => state.release(self.slot),
            Slot::Waiting(_) | Slot::Late | Slot::Left | Slot::Free => {}
        }
    }
}

/// The error of whoever has waited for too long.
pub(super) fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the routes did not answer in time")
}

impl State {
    fn wake_by(&mut self, waker: &Waker) {
        if !self.worker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.worker = Some(waker.clone());
        }
    }

    fn wake_worker(&mut self) {
        if let Some(worker) = &self.worker {
            worker.wake_by_ref();
        }
    }

    fn wrote(&mut self, count: usize) {
        self.written += count;
        if self.written == self.out.len() {
            self.out.clear();
            self.out.shrink_to(ROOM);
            self.written = 0;
        }
    }

    /// Hands this to the first that waits.
    fn answer(&mut self, answer: io::Result<UpstreamAnswer>) {
        if let Some(first) = self.queue.pop_front() {
            self.settle(first.slot, answer);
        }
    }

    fn settle(&mut self, slot: usize, answer: io::Result<UpstreamAnswer>) {
        match std::mem::replace(&mut self.slots[slot], Slot::Done(answer)) {
            Slot::Waiting(waker) => waker.into_iter().for_each(Waker::wake),
            Slot::Late => self.slots[slot] = Slot::Done(Err(late())),
            Slot::Left | Slot::Free | Slot::Done(_) => self.release(slot),
        }
    }

    fn release(&mut self, slot: usize) {
        self.slots[slot] = Slot::Free;
        self.free.push(slot);
    }

    /// Tells everybody whose time is up; their answers may still come, and are thrown away.
    fn expire(&mut self) {
        let now = Instant::now();
        self.next_due = None;
        for &Waiting { slot, due, .. } in &self.queue {
            let Slot::Waiting(waker) = &mut self.slots[slot] else { continue };
            if due > now {
                self.next_due = self.next_due.into_iter().chain([due]).min();
                continue;
            }
            waker.take().into_iter().for_each(Waker::wake);
            // It keeps its place in the queue, so that its answer becomes nobody else's.
            self.slots[slot] = Slot::Late;
            self.retired = true;
        }
    }

    fn break_off(&mut self, kind: io::ErrorKind) {
        self.retired = true;
        while !self.queue.is_empty() {
            self.answer(Err(kind.into()));
        }
    }
}

#[cfg(test)]
mod tests;
