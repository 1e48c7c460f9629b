//! The history as lines: an event each, without what was planted, and on disk a moment later, whatever
//! the traffic.

use super::{Concealed, Medium};
use crate::evidence::writer::HistoryWriter;
use mock_server::clock::Moment;
use scenarios::history::{Event, Outcome};
use std::io;
use std::time::Duration;

/// How long an event waits for its flush: half of the 100 ms that a killed harness may cost, the other
/// half is for the queue and for a busy machine.
pub(super) const FLUSH_WITHIN: Duration = Duration::from_millis(50);

/// A history that is being written.
pub(super) struct Tape<M: Medium> {
    out: HistoryWriter<M>,
    concealed: Concealed,
    line: Vec<u8>,
    written: u64,
    /// When the first of the events came that are not flushed.
    waiting_since: Option<Moment>,
}

impl<M: Medium> Tape<M> {
    /// Nothing is written yet.
    pub fn new(medium: M, concealed: Concealed) -> io::Result<Self> {
        let out = HistoryWriter::new(medium)?;
        Ok(Self { out, concealed, line: Vec::new(), written: 0, waiting_since: None })
    }

    /// Writes an event that has come now.
    pub fn write(&mut self, event: &Event<'_>, now: Moment) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, event)?;
        let text = String::from_utf8_lossy(&self.line);
        let clean = self.concealed.get().map(|canaries| canaries.redacted(&text));
        self.out.line(clean.as_deref().unwrap_or(&text).as_bytes())?;
        self.written += 1;
        self.waiting_since.get_or_insert(now);
        Ok(())
    }

    /// When the next flush is due; none while nothing waits for one.
    pub fn due(&self) -> Option<Moment> {
        Some(self.waiting_since?.plus(FLUSH_WITHIN))
    }

    /// Flushes if it is due, and looks then whether the recording can go on; says why not.
    pub fn flush_if_due(&mut self, now: Moment) -> io::Result<Option<String>> {
        if self.due().is_none_or(|due| now < due) {
            return Ok(None);
        }
        self.out.checkpoint()?;
        self.waiting_since = None;
        Ok(self.out.medium().look().err().map(|error| error.to_string()))
    }

    /// Writes the end, with a closing line if the recording is whole; all of it is on the disk then.
    /// Returns the number of events.
    pub fn finish(mut self, closing: Option<(Moment, Outcome)>) -> io::Result<u64> {
        match closing {
            Some((at, outcome)) => {
                let digest = self.out.digest();
                self.write(&Event::Closed { at, outcome, digest }, at)?;
            }
            None => self.out.checkpoint()?,
        }
        self.out.finish()?.complete()?;
        Ok(self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::recorder::tests::{Shared, at, moments};

    /// Events come so often, for so long: whenever the harness is killed, what is not on the medium is
    /// younger than a flush may wait.
    #[track_caller]
    fn check(every: Duration, span_ms: u64) {
        let shared = Shared::default();
        let mut tape = Tape::new(shared.clone(), Concealed::default()).unwrap();
        let (mut next, mut came, mut kept, mut bytes) = (Moment::ZERO, Vec::new(), 0, 0);
        for now in (0..span_ms).map(Moment::from_ms) {
            while next <= now {
                tape.write(&at(next), next).unwrap();
                came.push(next);
                assert_eq!(tape.flush_if_due(next).unwrap(), None);
                next = next.plus(every);
            }
            assert_eq!(tape.flush_if_due(now).unwrap(), None);
            if shared.bytes().len() > bytes {
                bytes = shared.bytes().len();
                kept = moments(&shared.bytes()).len();
            }
            let oldest = came.get(kept).map_or(Duration::ZERO, |lost| now.since(*lost));
            assert!(oldest < FLUSH_WITHIN, "at {now} an event {oldest:?} old is not on disk");
        }
        tape.finish(None).unwrap();
        assert_eq!(moments(&shared.bytes()), came);
    }

    #[test]
    fn what_is_not_on_disk_is_younger_than_a_flush_whatever_the_traffic() {
        for (every_us, span_ms) in [(50, 300), (900, 600), (10_000, 1_000), (49_000, 2_000)] {
            check(Duration::from_micros(every_us), span_ms);
        }
        check(Duration::from_millis(70), 2_000);
        check(Duration::from_millis(600), 2_000);
    }

    #[test]
    fn without_events_no_flush_is_due() {
        let shared = Shared::default();
        let mut tape = Tape::new(shared, Concealed::default()).unwrap();
        assert_eq!(tape.due(), None);
        tape.write(&at(Moment::ZERO), Moment::from_ms(7)).unwrap();
        assert_eq!(tape.due(), Some(Moment::from_ms(57)));
        assert_eq!(tape.flush_if_due(Moment::from_ms(57)).unwrap(), None);
        assert_eq!(tape.due(), None);
    }
}
