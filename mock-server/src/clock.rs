//! The one place that reads time: every recorded moment is nanoseconds since one monotonic origin.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::Instant as TokioInstant;

/// A point in time, in nanoseconds since the origin of the run's [`Clock`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// The origin of the clock.
    pub const ZERO: Self = Self(0);

    /// The moment `ms` milliseconds after the origin.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * 1_000_000)
    }

    /// The moment `by` later; saturates.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(nanos(by)))
    }

    /// The moment `by` earlier; saturates at the origin.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(by)))
    }

    /// How long after `earlier` this moment is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Milliseconds since the origin, for people.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn as_ms(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} s", self.0 / 1_000_000_000, self.0 / 1_000_000 % 1_000)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A monotonic clock with a fixed origin; copies share the origin.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

#[allow(clippy::disallowed_methods)] // this is the clock that the rest must use
impl Clock {
    /// A clock whose origin is now.
    #[must_use]
    pub fn start() -> Self {
        Self { origin: TokioInstant::now().into_std() }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Moment {
        // By tokio's clock, which a test can pause; otherwise it is the operating system's.
        Moment::ZERO.plus(TokioInstant::now().into_std().duration_since(self.origin))
    }

    /// The operating system's instant for `moment`, to sleep until it.
    #[must_use]
    pub fn instant(&self, moment: Moment) -> Instant {
        self.origin + Duration::from_nanos(moment.0)
    }

    /// The calendar time, for what stands on the wire (HTTP dates) and in file names.
    #[must_use]
    pub fn wall() -> SystemTime {
        SystemTime::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        let early = Moment::from_ms(1);
        assert_eq!(early.minus(Duration::from_secs(1)), Moment::ZERO);
        assert_eq!(early.since(Moment::from_ms(5)), Duration::ZERO);
        assert_eq!(Moment(u64::MAX).plus(Duration::from_secs(1)), Moment(u64::MAX));
        assert_eq!(Moment::from_ms(1_234).to_string(), "1.234 s");
    }
}
