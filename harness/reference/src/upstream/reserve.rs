//! Slots of the limiter that calls to come will need, set aside before the first of them is made.
//!
//! A page takes two calls. If its second one found the limiter full, the first would have been for
//! nothing, and in a spike of cold pages that happens to all of them at once: the whole window is
//! spent and nobody sees a page.

use super::{Upstream, limiter::Limiter};
use crate::{
    clock,
    linktree::{Barrier, Failure, Route},
};
use std::sync::Mutex;
use tokio::time::Instant;

/// How many slots are set aside.
#[derive(Debug, Default)]
pub struct Reserve(Mutex<usize>);

/// Slots set aside for one fill; those that were not spent are given back when it is dropped.
#[derive(Debug)]
pub struct Reserved<'a> {
    reserve: &'a Reserve,
    left: usize,
}

impl Reserve {
    fn set_aside(
        &self,
        limiter: &dyn Limiter,
        route: Route,
        slots: usize,
        now: Instant,
    ) -> Result<Reserved<'_>, Instant> {
        let mut taken = self.0.lock().unwrap();
        limiter.room_for(route, *taken + slots, now)?;
        *taken += slots;
        Ok(Reserved { reserve: self, left: slots })
    }

    fn give_back(&self, slots: usize) {
        let mut taken = self.0.lock().unwrap();
        *taken = taken.saturating_sub(slots);
    }
}

impl Reserved<'_> {
    /// A call was made: the limiter itself counts it now.
    pub fn spent(&mut self) {
        if self.left > 0 {
            self.left -= 1;
            self.reserve.give_back(1);
        }
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.reserve.give_back(self.left);
    }
}

impl Upstream {
    /// Sets slots aside for calls of this route's lane; waits a little for them, as an attempt does.
    ///
    /// # Errors
    /// With the limiter's barrier when there are too few.
    pub async fn reserve(&self, route: Route, slots: usize) -> Result<Reserved<'_>, Failure> {
        let deadline = clock::now() + self.slot_patience;
        loop {
            match self.reserve.set_aside(&*self.limiter, route, slots, clock::now()) {
                Ok(reserved) => return Ok(reserved),
                Err(at) if at <= deadline => tokio::time::sleep_until(at).await,
                Err(at) => {
                    let barrier = Barrier::RateLimit(at);
                    self.metrics.upstream_barred(route, barrier);
                    return Err(Failure::Barred(barrier));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::limiter::{SlidingLog, tests::settings};
    use std::time::Duration;

    #[test]
    fn what_is_set_aside_is_nobody_elses_until_it_is_spent_or_given_back() {
        let (limiter, reserve) = (SlidingLog::new(&settings()), Reserve::default());
        let now = clock::now();
        let take = |slots| reserve.set_aside(&limiter, Route::Profile, slots, now);
        // The lane of pages has 66 slots.
        let mut fills: Vec<_> = (0..33).map(|_| take(2).unwrap()).collect();
        assert!(take(1).is_err());
        limiter.try_take(Route::Profile, now).unwrap();
        fills[0].spent();
        assert!(take(1).is_err(), "it is in the log instead");
        drop(fills.pop());
        assert_eq!((take(2).is_ok(), take(3).is_ok()), (true, false));
        drop(fills);
        assert!(take(65).is_ok());
    }

    #[test]
    fn the_time_to_ask_again_is_when_enough_slots_are_free() {
        let (limiter, reserve) = (SlidingLog::new(&settings()), Reserve::default());
        let start = clock::now();
        for second in 0..66 {
            limiter.try_take(Route::Profile, start + Duration::from_millis(second * 100)).unwrap();
        }
        let now = start + Duration::from_secs(7);
        let at = reserve.set_aside(&limiter, Route::Links, 2, now).unwrap_err();
        assert_eq!(at, start + Duration::from_millis(60_130));
        assert!(reserve.set_aside(&limiter, Route::Links, 2, at).is_ok());
    }
}
