//! The lag of a click is known once it is delivered: while nothing is, it stays as it was.

use super::Mutant;
use crate::{clicks::Backlog, clock};
use std::{sync::Mutex, time::Duration};

pub const MUTANT: Mutant = Mutant {
    id: "click-lag-when-delivered",
    summary: "the click lag is that of the last click that was delivered: silent during an outage",
    breaks: "click-lag",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| seams.lag.of = |backlog, _| of_the_last(backlog),
};

/// When the click was accepted that waits first, and how long the one before it had waited.
static KNOWN: Mutex<(Option<i64>, Duration)> = Mutex::new((None, Duration::ZERO));

fn of_the_last(backlog: Backlog) -> Duration {
    let mut known = KNOWN.lock().unwrap();
    if let Some(gone) = known.0.filter(|_| known.0 != backlog.oldest_ms) {
        let waited = u64::try_from(clock::wall_ms() - gone).unwrap_or(0);
        known.1 = Duration::from_millis(waited);
    }
    known.0 = backlog.oldest_ms;
    known.1
}
