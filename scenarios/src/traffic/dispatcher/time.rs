//! The dispatcher thread's time: by which clock it sleeps, and what it has cost so far.

use mock_server::clock::{Clock, Moment};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The longest sleep, so that a stop is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a dispatcher knows of time; a test may have one of its own.
pub trait Time {
    /// The present moment.
    fn now(&self) -> Moment;
    /// Sleeps until then, or not as long.
    fn sleep_until(&mut self, moment: Moment);
    /// Uses the processor until then.
    fn spin_until(&mut self, moment: Moment);
    /// Processor time that the dispatcher has used so far.
    fn used(&self) -> Duration;
}

/// The present thread's own.
pub struct ThreadTime {
    clock: Clock,
    /// What the system's monotonic clock said at moment 0 of the run's.
    #[cfg(target_os = "linux")]
    origin: Duration,
}

impl ThreadTime {
    /// By this clock. Must be called on the thread that sleeps.
    pub fn of(clock: Clock) -> Self {
        Self {
            clock,
            #[cfg(target_os = "linux")]
            origin: {
                // Read after the other one: whoever sleeps by it may wake late by what lies between the
                // two, and never early.
                let now = clock.now().since(Moment::ZERO);
                read(ClockId::Monotonic).saturating_sub(now)
            },
        }
    }
}

/// Asks the system to wake the present thread as exactly as it can, and says what came of it.
pub fn be_exact() -> &'static str {
    #[cfg(target_os = "linux")]
    if rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)).is_ok() {
        return "thread, timer slack 1 ns";
    }
    "thread, timer slack of the system"
}

fn read(clock: ClockId) -> Duration {
    // Neither part is negative where a clock counts from a beginning.
    let time = clock_gettime(clock);
    let part = |part: i64| u64::try_from(part).unwrap_or(0);
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

impl Time for ThreadTime {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    #[cfg(target_os = "linux")]
    fn sleep_until(&mut self, moment: Moment) {
        use rustix::thread::clock_nanosleep_absolute;
        let latest = self.now().plus(LOOK_EVERY);
        let until = self.origin + moment.min(latest).since(Moment::ZERO);
        let Ok(until) = rustix::time::Timespec::try_from(until) else { return };
        // A signal ends it early, which costs one more look.
        let _ = clock_nanosleep_absolute(ClockId::Monotonic, &until);
    }

    #[cfg(not(target_os = "linux"))]
    fn sleep_until(&mut self, moment: Moment) {
        std::thread::sleep(moment.since(self.now()).min(LOOK_EVERY));
    }

    fn spin_until(&mut self, moment: Moment) {
        while self.now() < moment {
            std::hint::spin_loop();
        }
    }

    fn used(&self) -> Duration {
        read(ClockId::ThreadCPUTime)
    }
}
