//! Where a visitor's page came from: what its header says of it, and its metric counts.

use crate::linktree::Failure;

/// Where a page came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// From the cache, fresh.
    Hit,
    /// From the cache, expired, and nothing was asked because of this.
    HitStale(Failure),
    /// Just filled, or vouched for.
    Filled {
        /// Whether there was an expired page before.
        had_page: bool,
        /// Whether another visitor's call did it.
        collapsed: bool,
    },
    /// From the cache, expired, because asking failed or took too long.
    FellBack {
        /// Why.
        failure: Failure,
        /// Whether the call was another visitor's.
        collapsed: bool,
    },
}

impl Source {
    /// The word in the metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::HitStale(_) | Self::FellBack { .. } => "stale",
            Self::Filled { .. } => "miss",
        }
    }
}
