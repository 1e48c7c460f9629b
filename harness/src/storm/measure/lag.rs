//! How late the harness's own timers are while the storm runs (predicates.md B0).

use crate::storm::recorder::Recorder;
use mock_server::clock::Clock;
use scenarios::history::Event;
use std::time::Duration;

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(50);
/// Lateness below this is not worth a line.
const NOTED: Duration = Duration::from_millis(5);

/// Records every late timer, for ever.
pub async fn probe(clock: Clock, recorder: Recorder) {
    loop {
        let at = clock.now().plus(EVERY);
        tokio::time::sleep_until(clock.instant(at).into()).await;
        let late = clock.now().since(at);
        if late > NOTED {
            let late_us = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
            recorder.record(Event::Lag { at, late_us });
        }
    }
}
