//! When the target stood still: whoever stands still pushes nothing, and what it has counted comes later.

use mock_server::clock::Moment;
use std::sync::atomic::{AtomicU64, Ordering};

/// Whether it stands still, and until when it did.
#[derive(Debug, Default)]
pub struct Standstill {
    /// The end of the last one; the greatest number while one goes on, and 0 for none.
    until: AtomicU64,
}

impl Standstill {
    /// It stands still from now on.
    pub fn begin(&self) {
        self.until.store(u64::MAX, Ordering::Relaxed);
    }

    /// It goes on.
    pub fn end(&self, at: Moment) {
        self.until.store(at.0, Ordering::Relaxed);
    }

    /// Whether it stood still at any moment since then.
    #[must_use]
    pub fn was_since(&self, from: Moment) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until > 0 && until >= from.0
    }
}
