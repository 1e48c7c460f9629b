//! The only place that reads time: a monotonic clock that tests can pause, and the wall clock.

use std::time::SystemTime;
use tokio::time::Instant;

/// Now, on the clock that limits, timeouts and freshness are measured with.
pub fn now() -> Instant {
    Instant::now()
}

/// Now, on the calendar: for HTTP-dates and for rows that must outlive the process.
#[allow(clippy::disallowed_methods)]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// Milliseconds since 1970, for storage.
pub fn wall_ms() -> i64 {
    wall().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
