//! Writes the history while it happens: one thread, one file, flushed a moment later.
//!
//! This is the one place where events are written, and where everything that must not be written is
//! taken out of them: whatever an integration puts into its answers or requests ends up in events.
//!
//! Producers hand over whole events through a bounded queue, so memory stays bounded: when the disk
//! cannot keep up, producers wait, and the lag probes in the same history show it.

use super::observe::canaries::Canaries;
use crate::evidence::writer::HistoryWriter;
use crate::private;
use mock_server::clock::{Clock, Moment};
use mock_server::history::record::Record;
use scenarios::history::{Event, Operation, Outcome};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

/// Events in the queue at the most.
const QUEUE: usize = 65_536;
/// How much of the recording a crash of the harness may cost.
const FLUSH_WITHIN: Duration = Duration::from_millis(50);

enum Queued {
    Event(Event<'static>),
    /// The end; with what the closing line says, when the recording is whole.
    End(Option<(Moment, Outcome)>),
}

type Concealed = Arc<OnceLock<Arc<Canaries>>>;

/// Where events go; clones write into the same history.
#[derive(Clone)]
pub struct Recorder {
    queue: SyncSender<Queued>,
    concealed: Concealed,
}

/// The writing end; [`Writer::close`] completes the file.
pub struct Writer {
    thread: JoinHandle<io::Result<u64>>,
    queue: SyncSender<Queued>,
}

impl Recorder {
    /// Creates the file and starts the writer's thread.
    ///
    /// # Errors
    ///
    /// When the file cannot be created or the thread cannot be started.
    pub fn create(path: &Path) -> io::Result<(Self, Writer)> {
        let out = HistoryWriter::new(BufWriter::new(private::new_file(path)?))?;
        let (queue, events) = sync_channel(QUEUE);
        let concealed = Concealed::default();
        let theirs = Arc::clone(&concealed);
        let thread = std::thread::Builder::new()
            .name("history".into())
            .spawn(move || Writing::new(out, theirs).all(&events))?;
        Ok((Self { queue: queue.clone(), concealed }, Writer { thread, queue }))
    }

    /// From now on nothing of this is written. Only the first call counts.
    pub fn conceal(&self, canaries: &Arc<Canaries>) {
        let _ = self.concealed.set(Arc::clone(canaries));
    }

    /// Records one event. After the end of the recording, events are dropped.
    pub fn record(&self, event: Event<'static>) {
        let _ = self.queue.send(Queued::Event(event));
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
struct Writing<W: Write> {
    out: HistoryWriter<W>,
    concealed: Concealed,
    line: Vec<u8>,
    written: u64,
}

impl<W: Write> Writing<W> {
    const fn new(out: HistoryWriter<W>, concealed: Concealed) -> Self {
        Self { out, concealed, line: Vec::new(), written: 0 }
    }

    fn all(mut self, events: &Receiver<Queued>) -> io::Result<u64> {
        let clock = Clock::start();
        let mut due = clock.now().plus(FLUSH_WITHIN);
        let closing = loop {
            match events.recv_timeout(due.since(clock.now())) {
                Ok(Queued::Event(event)) => self.write(&event)?,
                Ok(Queued::End(closing)) => break closing,
                Err(RecvTimeoutError::Disconnected) => break None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            // Also between the events of a queue that is never empty.
            if due <= clock.now() {
                self.out.checkpoint()?;
                due = clock.now().plus(FLUSH_WITHIN);
            }
        };
        match closing {
            Some((at, outcome)) => {
                let digest = self.out.digest();
                self.write(&Event::Closed { at, outcome, digest })?;
            }
            None => self.out.checkpoint()?,
        }
        self.out.finish()?;
        Ok(self.written)
    }

    fn write(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, event)?;
        let text = String::from_utf8_lossy(&self.line);
        let clean = self.concealed.get().map(|canaries| canaries.redacted(&text));
        self.out.line(clean.as_deref().unwrap_or(&text).as_bytes())?;
        self.written += 1;
        Ok(())
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
