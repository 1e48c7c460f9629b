//! Holds all calls back while a `Retry-After` is in force.

use std::{sync::Mutex, time::Duration};
use tokio::time::Instant;

/// Closed until a time; of several times the latest counts.
#[derive(Debug, Default)]
pub struct Gate(Mutex<Option<Instant>>);

impl Gate {
    /// Closes the gate, or keeps it closed for longer.
    pub fn close_until(&self, at: Instant) {
        let mut until = self.0.lock().unwrap();
        *until = Some(until.map_or(at, |known| known.max(at)));
    }

    /// When it opens, if it is closed at `now`.
    pub fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.0.lock().unwrap().filter(|until| now < *until)
    }

    /// How long it has been open, if it was ever closed and is not at `now`.
    pub fn open_for(&self, now: Instant) -> Option<Duration> {
        self.0.lock().unwrap().and_then(|until| now.checked_duration_since(until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn the_latest_time_counts() {
        let (gate, now) = (Gate::default(), clock::now());
        assert_eq!((gate.closed_until(now), gate.open_for(now)), (None, None));
        let late = now + Duration::from_secs(7);
        gate.close_until(late);
        gate.close_until(now + Duration::from_secs(1));
        assert_eq!((gate.closed_until(now), gate.open_for(now)), (Some(late), None));
        assert_eq!(gate.open_for(late + Duration::from_secs(2)), Some(Duration::from_secs(2)));
        assert_eq!(gate.closed_until(late), None);
    }
}
