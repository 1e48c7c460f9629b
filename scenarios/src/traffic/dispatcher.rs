//! Releases each arrival at its instant: a thread walks the schedule and wakes waiting users.
//!
//! tokio's timer comes 1 ms late at the median, which is more than a whole page costs. The thread
//! sleeps until shortly before an arrival and then spins, which costs up to [`SPIN`] of processor
//! time for each. Where processor time is short, [`Dispatcher::Timer`] gives up that precision.

use super::schedule::Schedule;
use mock_server::clock::{Clock, Moment};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// How long the thread spins before an arrival: the usual overshoot of a short sleep on Linux,
/// whose timer slack is 50 µs.
pub const SPIN: Duration = Duration::from_micros(70);

/// The longest sleep, so that a stop is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What releases the arrivals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dispatcher {
    /// A thread of its own, within tens of microseconds.
    #[default]
    Thread,
    /// A task on tokio's timer, within one or two milliseconds, for less processor time.
    Timer,
}

impl Dispatcher {
    /// Its name, as in the generator's report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Timer => "timer",
        }
    }
}

/// The counter at which users wait for arrivals. Each arrival is claimed once, in order.
#[derive(Debug)]
pub struct Release {
    permits: Semaphore,
    released: AtomicUsize,
    claimed: AtomicUsize,
}

impl Default for Release {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(0),
            released: AtomicUsize::new(0),
            claimed: AtomicUsize::new(0),
        }
    }
}

impl Release {
    /// Releases arrivals up to `count` in all.
    fn up_to(&self, count: usize) {
        let before = self.released.fetch_max(count, Ordering::AcqRel);
        self.permits.add_permits(count.saturating_sub(before));
    }

    /// No more arrivals will be released; those released can still be claimed.
    pub fn close(&self) {
        self.permits.close();
    }

    /// Position of the next arrival, waiting for its release; none when there is no more.
    pub async fn claim(&self) -> Option<usize> {
        loop {
            let open = match self.permits.acquire().await {
                Ok(permit) => {
                    permit.forget();
                    true
                }
                // After the close, permits cannot be had, but what was released is still due.
                Err(_) => false,
            };
            let next =
                |claimed| (claimed < self.released.load(Ordering::Acquire)).then_some(claimed + 1);
            match self.claimed.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) {
                Ok(position) => return Some(position),
                Err(_) if open => {}
                Err(_) => return None,
            }
        }
    }

    /// Forgets what was released and not yet claimed, and releases no more.
    pub fn abandon(&self) {
        self.claimed.fetch_max(usize::MAX / 2, Ordering::AcqRel);
        self.close();
    }
}

/// A dispatcher at work.
#[derive(Debug)]
pub enum Dispatch {
    /// On its thread.
    Thread(JoinHandle<()>),
    /// On tokio's timer.
    Timer(tokio::task::JoinHandle<()>),
}

impl Dispatcher {
    /// Begins to release the schedule's arrivals, and closes `release` after the last one or soon
    /// after `stop`.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub fn start(
        self,
        schedule: Arc<Schedule>,
        armed: Moment,
        clock: Clock,
        release: Arc<Release>,
        stop: Arc<AtomicBool>,
    ) -> std::io::Result<Dispatch> {
        let walk = Walk { schedule, armed, clock, release, stop };
        match self {
            Self::Thread => std::thread::Builder::new()
                .name("dispatcher".into())
                .spawn(move || walk.spinning())
                .map(Dispatch::Thread),
            Self::Timer => Ok(Dispatch::Timer(tokio::spawn(walk.timed()))),
        }
    }
}

struct Walk {
    schedule: Arc<Schedule>,
    armed: Moment,
    clock: Clock,
    release: Arc<Release>,
    stop: Arc<AtomicBool>,
}

impl Walk {
    /// Arrivals that are due, given how many were before; and how long until the next.
    fn due(&self, mut count: usize) -> (usize, Option<Duration>) {
        let now = self.clock.now();
        loop {
            let Some(next) = self.schedule.arrivals.get(count) else { return (count, None) };
            let at = self.armed.plus(Duration::from_micros(next.at_us));
            if at > now {
                return (count, Some(at.since(now)));
            }
            count += 1;
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn spinning(self) {
        let mut count = 0;
        loop {
            let (due, wait) = self.due(count);
            if due > count {
                count = due;
                self.release.up_to(count);
            }
            match wait {
                Some(_) if self.stopped() => break,
                Some(wait) if wait > SPIN => std::thread::sleep((wait - SPIN).min(LOOK_EVERY)),
                Some(_) => std::hint::spin_loop(),
                None => break,
            }
        }
        self.release.close();
    }

    async fn timed(self) {
        let mut count = 0;
        while let (due, Some(wait)) = self.due(count) {
            count = due;
            self.release.up_to(count);
            if self.stopped() {
                break;
            }
            let until = self.clock.now().plus(wait.min(LOOK_EVERY));
            tokio::time::sleep_until(Instant::from_std(self.clock.instant(until))).await;
        }
        if !self.stopped() {
            self.release.up_to(self.schedule.arrivals.len());
        }
        self.release.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::{Arrival, Planned};

    fn schedule(gap_us: u64, count: u64) -> Arc<Schedule> {
        let planned = Planned { creator: 0, does: 0, nth: 0 };
        let arrival = |index| Arrival { index, at_us: index * gap_us, planned };
        let arrivals = (0..count).map(arrival).collect();
        let handles = Arc::from(vec![]);
        Arc::new(Schedule { handles, visits: vec![], arrivals, sequences: vec![] })
    }

    /// Runs a dispatcher with eight users; gives the claims and whether any came early.
    async fn claims(dispatcher: Dispatcher, schedule: Arc<Schedule>, stop: bool) -> Vec<usize> {
        let clock = Clock::start();
        let release = Arc::new(Release::default());
        let stop = Arc::new(AtomicBool::new(stop));
        let started = Arc::clone(&schedule);
        dispatcher.start(started, Moment::ZERO, clock, Arc::clone(&release), stop).unwrap();
        let mut users = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (release, schedule) = (Arc::clone(&release), Arc::clone(&schedule));
            users.spawn(async move {
                let mut mine = Vec::new();
                while let Some(position) = release.claim().await {
                    let due =
                        Moment::ZERO.plus(Duration::from_micros(schedule.arrivals[position].at_us));
                    assert!(clock.now() >= due, "an arrival was released early");
                    mine.push(position);
                }
                mine
            });
        }
        let mut all: Vec<_> = users.join_all().await.concat();
        all.sort_unstable();
        all
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_arrival_is_claimed_once_and_never_early() {
        for dispatcher in [Dispatcher::Thread, Dispatcher::Timer] {
            let all = claims(dispatcher, schedule(200, 1_000), false).await;
            assert_eq!(all, (0..1_000).collect::<Vec<_>>(), "{dispatcher:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stop_ends_the_wait_for_a_distant_arrival() {
        for dispatcher in [Dispatcher::Thread, Dispatcher::Timer] {
            let all = claims(dispatcher, schedule(3_600_000_000, 2), true).await;
            assert!(all.len() <= 1, "{dispatcher:?}");
        }
    }

    #[tokio::test]
    async fn released_arrivals_outlive_the_close_but_not_the_abandonment() {
        let release = Release::default();
        release.up_to(2);
        release.close();
        assert_eq!(release.claim().await, Some(0));
        release.abandon();
        assert_eq!(release.claim().await, None);
    }
}
