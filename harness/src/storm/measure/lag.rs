//! How late the harness's own timers are while the storm runs (predicates.md B0).

use super::micros;
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
            recorder.record(Event::Lag { at, late_us: micros(late) });
        }
    }
}
