//! Where users wait for arrivals: each is claimed once, in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

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
    pub(super) fn up_to(&self, count: usize) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
