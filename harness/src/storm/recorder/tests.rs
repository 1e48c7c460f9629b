//! What survives: of a recording that is cut off at any moment, and of one whose disk fails.

use super::*;
use std::io::{ErrorKind, Read, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A medium in memory, which may have an end or take no more.
#[derive(Clone, Default)]
pub struct Shared {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// So many bytes fit on it; any number without it.
    room: Option<usize>,
    /// It says after this many bytes that it cannot go on; never without it.
    warns_at: Option<usize>,
}

impl Shared {
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = self.room.map_or(bytes.len(), |room| bytes.len().min(room - all.len()));
        if fits == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        all.extend_from_slice(&bytes[..fits]);
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Medium for Shared {
    fn look(&mut self) -> io::Result<()> {
        match self.warns_at {
            Some(at) if self.bytes().len() > at => Err(io::Error::other("it fills up")),
            _ => Ok(()),
        }
    }

    fn complete(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An event of this moment.
pub fn at(moment: Moment) -> Event<'static> {
    Event::Armed { at: moment }
}

/// The moments of the events that can be read of this, which may end anywhere.
pub fn moments(bytes: &[u8]) -> Vec<Moment> {
    let (mut text, mut some) = (Vec::new(), [0; 4_096]);
    let mut from = zstd::Decoder::new(bytes).unwrap();
    while let Ok(count @ 1..) = from.read(&mut some) {
        text.extend_from_slice(&some[..count]);
    }
    let lines = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let moment = |line: &[u8]| match serde_json::from_slice(line).unwrap() {
        Event::Armed { at } => Some(at),
        Event::Checkpoint { .. } => None,
        other => panic!("{other:?}"),
    };
    lines.filter_map(moment).collect()
}

/// Records moments as fast as they are taken until the recording is lost; the last of them.
fn flood(recorder: &Recorder) -> u64 {
    for count in 0.. {
        recorder.record(at(Moment(count)));
        if recorder.is_lost().is_some() {
            return count;
        }
    }
    unreachable!("a medium has an end")
}

#[test]
fn a_recording_that_is_cut_off_in_mid_traffic_is_at_most_a_tenth_of_a_second_old() {
    let shared = Shared::default();
    let (recorder, writer) = Recorder::to(shared.clone()).unwrap();
    let clock = Clock::start();
    let mut ages = Vec::new();
    // At 20 moments that come at no regular time, what is there is what a kill would leave.
    for look in 1..=20_u64 {
        let until = clock.now().plus(Duration::from_millis(7 + look * look % 31));
        while clock.now() < until {
            recorder.record(at(clock.now()));
            let next = clock.now().plus(Duration::from_micros(100));
            while clock.now() < next {
                std::hint::spin_loop();
            }
        }
        let (now, left) = (clock.now(), moments(&shared.bytes()));
        let last = left.last().copied().unwrap_or_default();
        ages.push(now.since(last));
    }
    writer.finish().unwrap();
    // A machine that is busy with other things is late now and then; the driven clock of the tape's
    // own tests proves the bound. Waiting for idleness makes each of these as long as the test.
    ages.sort_unstable();
    assert!(ages[10] <= Duration::from_millis(100), "{ages:?}");
}

#[tokio::test]
async fn a_medium_that_takes_no_more_is_told_and_nobody_waits_for_it() {
    let shared = Shared { room: Some(50_000), ..Shared::default() };
    let (recorder, writer) = Recorder::to(shared.clone()).unwrap();
    let recorded = flood(&recorder);
    assert_eq!(recorder.lost().await, ErrorKind::StorageFull.to_string());
    // Whoever goes on is not held up, and what comes too late is not taken for the end.
    for _ in 0..2 * QUEUE {
        recorder.record(at(Moment::ZERO));
    }
    let closed = writer.close(Moment::ZERO, Outcome::Completed);
    assert_eq!(closed.unwrap_err().kind(), ErrorKind::StorageFull);
    let left = moments(&shared.bytes());
    assert!(!left.is_empty() && (left.len() as u64) < recorded);
    assert!(left.iter().zip(0..).all(|(moment, count)| moment.0 == count));
}

#[tokio::test]
async fn a_medium_that_fills_up_is_told_while_all_of_it_can_still_be_written() {
    let shared = Shared { warns_at: Some(10_000), ..Shared::default() };
    let (recorder, writer) = Recorder::to(shared.clone()).unwrap();
    let recorded = flood(&recorder);
    assert_eq!(recorder.lost().await, "it fills up");
    recorder.record(at(Moment(recorded + 1)));
    assert_eq!(writer.finish().unwrap(), recorded + 2);
    assert_eq!(moments(&shared.bytes()).len() as u64, recorded + 2);
}

#[test]
fn a_recording_that_ended_well_was_never_lost() {
    let (recorder, writer) = Recorder::to(Shared::default()).unwrap();
    recorder.record(at(Moment::ZERO));
    assert_eq!((writer.finish().unwrap(), recorder.is_lost()), (1, None));
}
