//! What the dispatcher may spend: a twentieth of one core, as a token bucket of processor time.
//!
//! Being exact costs processor time: most when the thread spins before an arrival, less when it only
//! wakes for it, least when one wake-up releases several. The purse decides which of these is affordable.
//! What was spent is told by the thread's own clock and never assumed, so that the same rule holds on a
//! machine whose wake-ups cost three times as much.

use mock_server::clock::Moment;
use std::time::Duration;

/// How long the thread spins before an arrival: the usual overshoot of a short sleep on Linux.
pub const SPIN: Duration = Duration::from_micros(70);

/// One part of so many of elapsed time is paid in.
pub const ONE_IN: u32 = 20;

/// The most that is saved up: a quiet minute must not pay for a second of spinning.
pub const FULL: Duration = Duration::from_nanos(24 * SPIN.as_nanos() as u64);

/// The most that arrivals wait for processor time to be earned.
pub const PATIENCE: Duration = Duration::from_millis(1);

/// The most that is owed: what is earned within [`PATIENCE`]. More is forgiven, since arrivals that are
/// in time count for more than thrift.
pub const DEBT: Duration = Duration::from_nanos(PATIENCE.as_nanos() as u64 / ONE_IN as u64);

/// When to wake for the next arrival, and whether to spin until it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// When to wake; not before now.
    pub at: Moment,
    /// Whether to spin from then on until the arrival is due. Without that `at` is not before it.
    pub spin: bool,
}

/// Processor time that is there to be spent.
#[derive(Clone, Copy, Debug)]
pub struct Purse {
    /// Nanoseconds; below zero they are owed.
    balance: i64,
    /// Until when it was paid in.
    paid: Moment,
}

impl Purse {
    /// A full purse.
    #[must_use]
    pub const fn full(now: Moment) -> Self {
        Self { balance: nanos(FULL), paid: now }
    }

    /// Takes out what was spent, after what was earned until now is paid in.
    pub fn settle(&mut self, now: Moment, spent: Duration) {
        self.balance = (self.balance_at(now) - nanos(spent)).max(-nanos(DEBT));
        self.paid = self.paid.max(now);
    }

    /// When to wake for an arrival that is due then, as seen from now on.
    #[must_use]
    pub fn wake(&self, now: Moment, due: Moment) -> Wake {
        let ahead = due.minus(SPIN).max(now);
        if self.balance_at(ahead) >= nanos(SPIN) {
            return Wake { at: ahead, spin: true };
        }
        Wake { at: due.max(self.earned()).max(now), spin: false }
    }

    /// What is there at a moment, if nothing is spent until then.
    fn balance_at(&self, moment: Moment) -> i64 {
        let earned = moment.since(self.paid) / ONE_IN;
        self.balance.saturating_add(nanos(earned)).min(nanos(FULL))
    }

    /// From when on nothing is owed, if nothing is spent until then.
    fn earned(&self) -> Moment {
        let owed = Duration::from_nanos(self.balance.min(0).unsigned_abs());
        self.paid.plus(owed * ONE_IN)
    }
}

const fn nanos(duration: Duration) -> i64 {
    let nanos = duration.as_nanos();
    if nanos > i64::MAX as u128 { i64::MAX } else { nanos as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u64 = 1_000;
    const NOW: Moment = Moment::from_ms(5);

    #[track_caller]
    fn check(spent: Duration, due_us: u64, expected_us: u64, spin: bool) {
        let mut purse = Purse::full(NOW);
        purse.settle(NOW, spent);
        let at = |us: u64| NOW.plus(Duration::from_nanos(us * US));
        assert_eq!(purse.wake(NOW, at(due_us)), Wake { at: at(expected_us), spin });
    }

    #[test]
    fn the_rich_spin_the_others_wake_in_time_and_debtors_wake_when_they_have_earned_it() {
        check(Duration::ZERO, 500, 430, true);
        check(Duration::ZERO, 30, 0, true);
        let poor = FULL - Duration::from_micros(10);
        check(poor, 500, 500, false);
        check(poor, 1_270, 1_200, true);
        let debtor = FULL + Duration::from_micros(20);
        check(debtor, 100, 400, false);
        check(debtor, 600, 600, false);
    }

    #[test]
    fn nobody_waits_longer_for_a_debtor_than_a_millisecond_and_nothing_is_saved_beyond_the_brim() {
        check(Duration::from_secs(1), 0, 1_000, false);
        let mut purse = Purse::full(NOW);
        purse.settle(Moment::from_ms(3_600_000), FULL);
        assert_eq!(purse.balance, 0);
    }
}
