//! Writes the history while it happens: one thread, one file, of which nothing waits long to be on disk.
//!
//! This is the one place where events are written, and where everything that must not be written is
//! taken out of them: whatever an integration puts into its answers or requests ends up in events.
//!
//! Producers hand over whole events through a bounded queue, so memory stays bounded: when the disk
//! cannot keep up, producers wait, and the lag probes in the same history show it. When the recording
//! cannot go on at all, [`Recorder::lost`] says so, and the storm ends: what nobody records proves
//! nothing.

mod disk;
mod tape;

pub use disk::Medium;

use super::observe::canaries::Canaries;
use disk::Disk;
use mock_server::clock::{Clock, Moment};
use mock_server::history::record::Record;
use scenarios::history::{Event, Operation, Outcome};
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;
use tape::Tape;
use tokio::sync::watch;

/// Events in the queue at the most: what the writer takes up in some 20 ms, so that a full queue adds
/// little to the age of what a crash of the harness costs.
const QUEUE: usize = 8_192;

/// How long events gather before the writer looks for more: to wake it for each of them would cost
/// whoever records more than the writing does.
const GATHER: Duration = Duration::from_millis(10);

#[allow(clippy::large_enum_variant)] // all but the last are the large one
enum Queued {
    Event(Event<'static>),
    /// The end; with what the closing line says, when the recording is whole.
    End(Option<(Moment, Outcome)>),
}

type Concealed = Arc<OnceLock<Arc<Canaries>>>;
/// Why the recording cannot go on, once it cannot.
type Lost = Option<String>;

/// Where events go; clones write into the same history.
#[derive(Clone)]
pub struct Recorder {
    queue: SyncSender<Queued>,
    concealed: Concealed,
    lost: watch::Receiver<Lost>,
}

/// The writing end; [`Writer::close`] completes the file.
pub struct Writer {
    thread: JoinHandle<io::Result<u64>>,
    queue: SyncSender<Queued>,
}

impl Recorder {
    /// Creates the file, reserves room for it and starts the writer's thread.
    ///
    /// # Errors
    ///
    /// When the file cannot be created, there is no room for it or the thread cannot be started.
    pub fn create(path: &Path) -> io::Result<(Self, Writer)> {
        Self::to(Disk::create(path)?)
    }

    /// Starts the thread that writes to this medium.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub fn to(medium: impl Medium) -> io::Result<(Self, Writer)> {
        let concealed = Concealed::default();
        let tape = Tape::new(medium, Arc::clone(&concealed))?;
        let (queue, events) = sync_channel(QUEUE);
        let (tell, lost) = watch::channel(None);
        let write = move || {
            let written = write_all(&events, tape, &tell);
            if let Err(error) = &written {
                tell.send_replace(Some(error.to_string()));
            }
            written
        };
        let thread = std::thread::Builder::new().name("history".into()).spawn(write)?;
        Ok((Self { queue: queue.clone(), concealed, lost }, Writer { thread, queue }))
    }

    /// From now on nothing of this is written. Only the first call counts.
    pub fn conceal(&self, canaries: &Arc<Canaries>) {
        let _ = self.concealed.set(Arc::clone(canaries));
    }

    /// Records one event. After the end of the recording, events are dropped.
    pub fn record(&self, event: Event<'static>) {
        let _ = self.queue.send(Queued::Event(event));
    }

    /// Waits until the recording cannot go on, or soon will not; says why.
    pub async fn lost(&self) -> String {
        let mut lost = self.lost.clone();
        let why = lost.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
        match why {
            Some(why) => why,
            // The recording has ended well.
            None => std::future::pending().await,
        }
    }

    /// Why the recording could not go on, if so.
    #[must_use]
    pub fn is_lost(&self) -> Option<String> {
        self.lost.borrow().clone()
    }
}

impl Writer {
    /// Writes what is queued and the closing line, completes the file and syncs it; returns the number
    /// of events.
    ///
    /// # Errors
    ///
    /// When writing failed at any time since the start.
    pub fn close(self, at: Moment, outcome: Outcome) -> io::Result<u64> {
        self.end(Some((at, outcome)))
    }

    /// As [`Writer::close`], without a closing line: nobody takes the recording for a whole one.
    ///
    /// # Errors
    ///
    /// When writing failed at any time since the start.
    pub fn finish(self) -> io::Result<u64> {
        self.end(None)
    }

    fn end(self, closing: Option<(Moment, Outcome)>) -> io::Result<u64> {
        let _ = self.queue.send(Queued::End(closing));
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the history writer panicked")))
    }
}

/// The writer's thread.
fn write_all<M: Medium>(
    events: &Receiver<Queued>,
    mut tape: Tape<M>,
    tell: &watch::Sender<Lost>,
) -> io::Result<u64> {
    let clock = Clock::start();
    loop {
        let next = match events.try_recv() {
            Ok(next) => Ok(next),
            Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
            // Nothing is left: the writer is woken by the next event, and by no other one soon after.
            Err(TryRecvError::Empty) => {
                let next = match tape.due() {
                    None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
                    Some(due) => events.recv_timeout(due.since(clock.now())),
                };
                if let Ok(Queued::Event(_)) = next {
                    std::thread::sleep(GATHER);
                }
                next
            }
        };
        match next {
            // It may have come as long ago as that.
            Ok(Queued::Event(event)) => tape.write(&event, clock.now().minus(GATHER))?,
            Ok(Queued::End(closing)) => return tape.finish(closing),
            Err(RecvTimeoutError::Disconnected) => return tape.finish(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
        // Also between the events of a queue that is never empty.
        if let Some(found) = tape.flush_if_due(clock.now())? {
            tell.send_if_modified(|lost| {
                let is_first = lost.is_none();
                lost.get_or_insert(found);
                is_first
            });
        }
    }
}

impl mock_server::history::record::Recorder for Recorder {
    fn record(&self, record: Record) {
        Recorder::record(self, record.into());
    }
}

impl scenarios::traffic::OperationSink for Recorder {
    fn operation(&self, operation: Operation<'static>) {
        self.record(Event::Operation(operation));
    }
}

#[cfg(test)]
mod tests;
