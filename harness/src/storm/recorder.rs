//! Writes the history while it happens: one thread, one file, flushed twice a second.
//!
//! This is the one place where events are written, and where everything that must not be written is
//! taken out of them: whatever an integration puts into its answers or requests ends up in events.
//!
//! Producers hand over whole events through a bounded queue, so memory stays bounded: when the disk
//! cannot keep up, producers wait, and the lag probes in the same history show it.

use super::observe::canaries::Canaries;
use crate::private;
use mock_server::history::record::Record;
use scenarios::history::{Event, Operation};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

/// Events in the queue at the most.
const QUEUE: usize = 65_536;
/// How much of the recording a crash of the harness may cost.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

type Queued = Option<Event<'static>>;
type Concealed = Arc<OnceLock<Arc<Canaries>>>;

/// Where events go; clones write into the same history.
#[derive(Clone)]
pub struct Recorder {
    queue: SyncSender<Queued>,
    concealed: Concealed,
}

/// The writing end; [`Writer::finish`] completes the file.
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
        let out = zstd::Encoder::new(BufWriter::new(private::new_file(path)?), 1)?;
        let (queue, events) = sync_channel(QUEUE);
        let concealed = Concealed::default();
        let theirs = Arc::clone(&concealed);
        let thread = std::thread::Builder::new()
            .name("history".into())
            .spawn(move || write_all(&events, out, &theirs))?;
        Ok((Self { queue: queue.clone(), concealed }, Writer { thread, queue }))
    }

    /// From now on nothing of this is written. Only the first call counts.
    pub fn conceal(&self, canaries: &Arc<Canaries>) {
        let _ = self.concealed.set(Arc::clone(canaries));
    }

    /// Records one event. After the end of the recording, events are dropped.
    pub fn record(&self, event: Event<'static>) {
        let _ = self.queue.send(Some(event));
    }
}

impl Writer {
    /// Writes what is queued, completes the file and syncs it; returns the number of events.
    ///
    /// # Errors
    ///
    /// When writing failed at any time since the start.
    pub fn finish(self) -> io::Result<u64> {
        let _ = self.queue.send(None);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the history writer panicked")))
    }
}

fn write_all<W>(
    events: &Receiver<Queued>,
    mut out: zstd::Encoder<'static, W>,
    concealed: &OnceLock<Arc<Canaries>>,
) -> io::Result<u64>
where
    W: Write + Sync,
{
    let mut written = 0;
    let mut dirty = 0_u32;
    let mut line = Vec::new();
    loop {
        match events.recv_timeout(FLUSH_EVERY) {
            Ok(Some(event)) => {
                line.clear();
                serde_json::to_writer(&mut line, &event)?;
                let text = String::from_utf8_lossy(&line);
                let clean = concealed.get().map(|canaries| canaries.redacted(&text));
                out.write_all(clean.as_deref().unwrap_or(&text).as_bytes())?;
                out.write_all(b"\n")?;
                written += 1;
                dirty += 1;
                // A busy queue never times out, so a flush is due by count as well.
                if dirty >= 5_000 {
                    out.flush()?;
                    dirty = 0;
                }
            }
            Ok(None) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                out.flush()?;
                dirty = 0;
            }
        }
    }
    out.finish()?.flush()?;
    Ok(written)
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
