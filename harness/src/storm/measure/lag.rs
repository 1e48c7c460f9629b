//! How late the harness's own timers are while the storm runs (predicates.md B0).

use super::micros;
use crate::storm::recorder::Recorder;
use mock_server::clock::{Clock, Moment};
use scenarios::history::{Event, Timers};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(50);
/// Lateness below this is not worth a line.
const NOTED: Duration = Duration::from_millis(5);

/// Looks at a timer over and over, and records when it was late.
pub struct Probe {
    looks: Arc<Mutex<Looks>>,
    clock: Clock,
    recorder: Recorder,
    task: JoinHandle<()>,
}

/// What was seen so far.
#[derive(Debug)]
struct Looks {
    /// When it should be looked next.
    due: Moment,
    timers: Timers,
}

impl Probe {
    /// Begins to look.
    #[must_use]
    pub fn begin(clock: Clock, recorder: Recorder) -> Self {
        let looks =
            Looks { due: clock.now().plus(EVERY), timers: Timers { looks: 0, latest_us: 0 } };
        let looks = Arc::new(Mutex::new(looks));
        let (theirs, into) = (Arc::clone(&looks), recorder.clone());
        let task = tokio::spawn(async move {
            loop {
                let due = lock(&theirs).due;
                tokio::time::sleep_until(clock.instant(due).into()).await;
                note(&mut lock(&theirs), clock.now(), &into);
            }
        });
        Self { looks, clock, recorder, task }
    }

    /// Ends it, and records what it came to. A timer that is overdue now has not been seen to be
    /// late: whoever gets no processor time cannot note that.
    pub fn end(self) {
        self.task.abort();
        let mut looks = lock(&self.looks);
        note(&mut looks, self.clock.now(), &self.recorder);
        self.recorder.record(Event::Timers(looks.timers));
    }
}

fn lock(looks: &Mutex<Looks>) -> std::sync::MutexGuard<'_, Looks> {
    looks.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(looks: &mut Looks, now: Moment, recorder: &Recorder) {
    if let Some((at, late)) = looks.at(now)
        && late > NOTED
    {
        recorder.record(Event::Lag { at, late_us: micros(late) });
    }
}

impl Looks {
    /// When the timer should have fired and how late it is, if it is due.
    fn at(&mut self, now: Moment) -> Option<(Moment, Duration)> {
        if now < self.due {
            return None;
        }
        let (due, late) = (self.due, now.since(self.due));
        self.timers.looks += 1;
        self.timers.latest_us = self.timers.latest_us.max(micros(late));
        self.due = now.plus(EVERY);
        Some((due, late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_that_gets_no_processor_time_is_late_itself_once_it_is_asked() {
        const MS: fn(u64) -> Moment = Moment::from_ms;
        let mut looks = Looks { due: MS(50), timers: Timers { looks: 0, latest_us: 0 } };
        assert_eq!(looks.at(MS(49)), None);
        assert_eq!(looks.at(MS(51)), Some((MS(50), Duration::from_millis(1))));
        assert_eq!(looks.at(MS(100)), None);
        assert_eq!(looks.at(MS(4_101)), Some((MS(101), Duration::from_secs(4))));
        assert_eq!(looks.timers, Timers { looks: 2, latest_us: 4_000_000 });
    }
}
