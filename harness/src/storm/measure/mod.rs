//! What this machine can do, measured before a run, how late it is in it, what the processes took, and
//! what they did not get.

pub mod headroom;
pub mod lag;
mod loopback;
pub mod starvation;
pub mod tolerances;

use std::time::Duration;

/// Microseconds, as they stand in a history.
#[must_use]
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
