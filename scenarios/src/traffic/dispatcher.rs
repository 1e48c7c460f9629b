//! Releases each arrival at its instant: a thread walks the schedule and wakes waiting users.
//!
//! tokio's timer comes 1 ms late at the median, which is more than a whole page costs. The thread sleeps
//! to absolute times, with a timer slack of a nanosecond where the system lets it, and spins before an
//! arrival as long as its [`Purse`] can afford that: where arrivals are rare each of them is met within
//! microseconds, and where they are many, one wake-up releases what has become due, up to a millisecond
//! late and never early. Neither costs more than a twentieth of one core.

mod purse;
mod release;
#[cfg(test)]
mod tests;
mod time;

pub use release::Release;

use super::schedule::Schedule;
use crate::history::DispatchCost;
use mock_server::clock::{Clock, Moment};
use purse::Purse;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use time::{ThreadTime, Time};

/// What a dispatcher's thread says at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dispatched {
    /// What released the arrivals, and by which timers.
    pub by: &'static str,
    /// What that cost.
    pub cost: DispatchCost,
}

/// Begins to release the schedule's arrivals, and closes `release` after the last one or soon after
/// `stop`.
///
/// # Errors
///
/// When the system refuses a thread.
pub fn start(
    schedule: Arc<Schedule>,
    armed: Moment,
    clock: Clock,
    release: Arc<Release>,
    stop: Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<Dispatched>> {
    let work = move || {
        let by = time::be_exact();
        let due = |position: usize| {
            let arrival = schedule.arrivals.get(position)?;
            Some(armed.plus(Duration::from_micros(arrival.at_us)))
        };
        let stopped = || stop.load(Ordering::Relaxed);
        let cost = walk(&mut ThreadTime::of(clock), due, stopped, |count| release.up_to(count));
        release.close();
        Dispatched { by, cost }
    };
    std::thread::Builder::new().name("dispatcher".into()).spawn(work)
}

/// Walks through arrivals that are due in this order, and releases them, by their count from the first.
fn walk(
    time: &mut impl Time,
    due: impl Fn(usize) -> Option<Moment>,
    stopped: impl Fn() -> bool,
    mut release: impl FnMut(usize),
) -> DispatchCost {
    let before = time.used();
    let (mut used, mut purse) = (before, Purse::full(time.now()));
    let (mut cost, mut count, mut spun) = (DispatchCost::default(), 0, false);
    loop {
        let (now, first) = (time.now(), count);
        while due(count).is_some_and(|at| at <= now) {
            count += 1;
        }
        if count > first {
            release(count);
            cost.releases += 1;
            cost.spins += u64::from(spun);
        }
        let Some(next) = due(count).filter(|_| !stopped()) else { break };
        let (so_far, now) = (time.used(), time.now());
        purse.settle(now, so_far.saturating_sub(used));
        used = so_far;
        let wake = purse.wake(now, next);
        time.sleep_until(wake.at);
        spun = wake.spin && (wake.at..next).contains(&time.now());
        if spun {
            time.spin_until(next);
        }
    }
    let spent = time.used().saturating_sub(before);
    cost.cpu_us = u64::try_from(spent.as_micros()).unwrap_or(u64::MAX);
    cost
}
