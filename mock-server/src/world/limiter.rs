//! The server's own limit: so many admitted requests in any sliding window, for one key.

use crate::clock::Moment;
use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

/// A log of the admitted requests that are still in the window.
///
/// Refused requests do not count: a client that waits as long as `Retry-After` says is admitted.
#[derive(Clone, Debug)]
pub struct Limiter {
    limit: u32,
    window: Duration,
    admitted: VecDeque<Moment>,
    latest: Moment,
}

/// Where a key stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether this request was let in.
    pub admitted: bool,
    /// How many more would be let in now.
    pub remaining: u32,
    /// Until the oldest admitted request leaves the window and so frees a place.
    pub reset: Duration,
}

impl Standing {
    /// The reset in whole seconds, rounded up, so that waiting so long is never too early.
    #[must_use]
    pub fn reset_s(&self) -> u64 {
        self.reset.as_secs() + u64::from(self.reset.subsec_nanos() > 0)
    }
}

impl Limiter {
    /// Admits `limit` requests in any sliding `window`.
    #[must_use]
    pub fn new(limit: u32, window: Duration) -> Self {
        Self { limit, window, admitted: VecDeque::new(), latest: Moment::ZERO }
    }

    /// Whether a request of the last window still counts.
    #[must_use]
    pub fn is_in_use(&self, at: Moment) -> bool {
        self.admitted.back().is_some_and(|&last| at.since(last) < self.window)
    }

    /// Counts a request that arrived at `at`. Moments may be slightly out of order, because two
    /// connections race for the lock; they count as the latest seen.
    pub fn admit(&mut self, at: Moment) -> Standing {
        self.latest = self.latest.max(at);
        let now = self.latest;
        while self.admitted.front().is_some_and(|&first| now.since(first) >= self.window) {
            self.admitted.pop_front();
        }
        let held = u32::try_from(self.admitted.len()).unwrap_or(u32::MAX);
        let admitted = held < self.limit;
        if admitted {
            self.admitted.push_back(now);
        }
        let remaining = self.limit.saturating_sub(held + u32::from(admitted));
        let reset = self
            .admitted
            .front()
            .map_or(Duration::ZERO, |first| first.plus(self.window).since(now));
        Standing { admitted, remaining, reset }
    }
}

/// From so many keys on, those that are idle are forgotten.
const CROWD: usize = 1_024;

/// The same limit for each of many keys, which do not know of each other.
#[derive(Clone, Debug)]
pub struct Limits<K> {
    limit: u32,
    window: Duration,
    limiters: HashMap<K, Limiter>,
}

impl<K: Eq + Hash> Limits<K> {
    /// Admits `limit` requests in any sliding `window`, for each key.
    #[must_use]
    pub fn new(limit: u32, window: Duration) -> Self {
        Self { limit, window, limiters: HashMap::new() }
    }

    /// Counts a request with this key that arrived at `at`, as [`Limiter::admit`] does.
    pub fn admit(&mut self, key: K, at: Moment) -> Standing {
        if self.limiters.len() >= CROWD && !self.limiters.contains_key(&key) {
            // Rotation makes ever new keys; whoever was idle for a window starts anew anyway.
            self.limiters.retain(|_, limiter| limiter.is_in_use(at));
        }
        let new = || Limiter::new(self.limit, self.window);
        self.limiters.entry(key).or_insert_with(new).admit(at)
    }

    /// The limit of a key that has been seen before.
    pub fn known<Q: ?Sized + Eq + Hash>(&mut self, key: &Q) -> Option<&mut Limiter>
    where
        K: Borrow<Q>,
    {
        self.limiters.get_mut(key)
    }

    /// Forgets all requests.
    pub fn reset(&mut self) {
        self.limiters.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_place_is_free_again_exactly_when_the_oldest_leaves() {
        let mut limiter = Limiter::new(2, Duration::from_millis(100));
        assert!(limiter.admit(Moment::from_ms(0)).admitted);
        assert_eq!(limiter.admit(Moment::from_ms(10)).remaining, 0);
        let refused = limiter.admit(Moment::from_ms(99));
        assert_eq!((refused.admitted, refused.reset), (false, Duration::from_millis(1)));
        assert_eq!(refused.reset_s(), 1);
        assert!(limiter.admit(Moment::from_ms(100)).admitted);
        assert!(!limiter.admit(Moment::from_ms(109)).admitted);
        assert!(limiter.is_in_use(Moment::from_ms(199)));
        assert!(!limiter.is_in_use(Moment::from_ms(200)), "the last admitted has left");
    }

    #[test]
    fn ever_new_keys_do_not_pile_up_and_busy_ones_are_kept() {
        let mut limits = Limits::new(1, Duration::from_millis(100));
        for key in 0..10_000 {
            limits.admit(key, Moment::from_ms(key));
            assert!(limits.limiters.len() <= CROWD);
        }
        assert!(!limits.admit(9_999, Moment::from_ms(10_050)).admitted);
    }

    proptest! {
        /// Any arrivals meet the same fate as under a model that looks at the whole past each time.
        #[test]
        fn it_agrees_with_a_naive_model(
            limit in 1u32..6,
            window in 1u64..50,
            steps in proptest::collection::vec(0u64..20, 0..200),
        ) {
            let mut limiter = Limiter::new(limit, Duration::from_millis(window));
            let mut past: Vec<u64> = Vec::new();
            let mut now = 0;
            for step in steps {
                now += step;
                let recent = past.iter().filter(|&&t| t + window > now).count();
                let admitted = recent < limit as usize;
                if admitted {
                    past.push(now);
                }
                let standing = limiter.admit(Moment::from_ms(now));
                prop_assert_eq!(standing.admitted, admitted);
                let held = past.iter().filter(|&&t| t + window > now).count();
                prop_assert_eq!(standing.remaining as usize, limit as usize - held);
            }
        }
    }
}
