//! Appends every record to a file, one JSON object a line, on disk at the latest a moment later.

use crate::history::record::{Record, Recorder};
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Records that may wait for the disk; when it is slower still, the mock waits for it.
const QUEUE: usize = 16_384;

/// How long what comes next may gather. Waking the writer for each record, and asking the system for each
/// line, costs about as much as the answer itself.
const GATHER: Duration = Duration::from_millis(2);

/// A file of records. A thread writes, and hands everything to the operating system at the latest
/// [`GATHER`] after it was recorded: a mock that is killed loses no more than that.
pub struct RecordFile {
    queue: SyncSender<Option<Record>>,
    writer: Mutex<Option<JoinHandle<io::Result<()>>>>,
}

impl RecordFile {
    /// Opens the file for appending, or creates it.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or the thread cannot be started.
    pub fn append(path: &Path) -> io::Result<Self> {
        let mut file = File::options().read(true).append(true).create(true).open(path)?;
        end_line(&mut file)?;
        let (queue, records) = sync_channel(QUEUE);
        let writer =
            std::thread::Builder::new().name("mock-history".to_owned()).spawn(move || {
                let written = write_all(&records, BufWriter::new(file));
                if let Err(error) = &written {
                    tracing::error!(%error, "the history is no longer written");
                }
                written
            })?;
        Ok(Self { queue, writer: Mutex::new(Some(writer)) })
    }

    /// Writes what is waiting and syncs the file. What is recorded afterwards is dropped.
    ///
    /// # Errors
    ///
    /// When writing failed at any time since the start.
    pub fn finish(&self) -> io::Result<()> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return Ok(()) };
        // It fails only when the writer is gone already, and then the thread knows why.
        let _ = self.queue.send(None);
        writer.join().unwrap_or_else(|_| Err(io::Error::other("the history's writer panicked")))
    }
}

impl Recorder for RecordFile {
    fn record(&self, record: Record) {
        // Nobody reads after the end, or after a failure, which `finish` reports.
        let _ = self.queue.send(Some(record));
    }
}

/// A run that was killed may have left half a line: the next one must not continue it.
fn end_line(file: &mut File) -> io::Result<()> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    if last != *b"\n" { file.write_all(b"\n") } else { Ok(()) }
}

fn write_all(records: &Receiver<Option<Record>>, mut out: BufWriter<File>) -> io::Result<()> {
    // The end is nothing instead of a record, or that nobody can record any more.
    let mut next = records.recv().ok().flatten();
    while let Some(record) = next {
        serde_json::to_writer(&mut out, &record)?;
        out.write_all(b"\n")?;
        next = match records.try_recv() {
            Ok(next) => next,
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                out.flush()?;
                std::thread::sleep(GATHER);
                records.recv().ok().flatten()
            }
        };
    }
    out.flush()?;
    out.get_ref().sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::history::record::Overload;

    fn overload(what: &str) -> Record {
        Record::Overload(Overload { at: Moment::ZERO, what: what.into() })
    }

    #[test]
    fn every_record_is_a_line_also_after_half_a_line_of_an_earlier_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.ndjson");
        std::fs::write(&path, "{\"event\":\"over").unwrap();
        let file = RecordFile::append(&path).unwrap();
        let records: Vec<_> = (0..1_000).map(|n| overload(&n.to_string())).collect();
        records.iter().for_each(|record| file.record(record.clone()));
        file.finish().unwrap();
        file.record(overload("too late"));
        let text = std::fs::read_to_string(&path).unwrap();
        let read = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap());
        assert_eq!(read.collect::<Vec<Record>>(), records);
    }
}
