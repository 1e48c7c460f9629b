//! Says in `Cache-Status` (RFC 9211) where a page came from.

use super::freshness::Freshness;
use crate::upstream::{Barrier, Failure};
use tokio::time::Instant;

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
    /// The value of the header.
    pub fn header(&self, life: &Freshness, now: Instant) -> String {
        let ttl = life.ttl(now);
        let joined = |collapsed: bool| if collapsed { "; collapsed" } else { "" };
        match self {
            Self::Hit => format!("reference; hit; ttl={ttl}"),
            Self::HitStale(why) => format!("reference; hit; ttl={ttl}; detail={}", detail(why)),
            Self::Filled { had_page, collapsed } => {
                let forwarded = if *had_page { "stale" } else { "miss" };
                format!("reference; fwd={forwarded}; stored{}; ttl={ttl}", joined(*collapsed))
            }
            Self::FellBack { failure: why, collapsed } => {
                let status = match why {
                    Failure::Status(status) => format!("; fwd-status={status}"),
                    _ => String::new(),
                };
                let joined = joined(*collapsed);
                format!("reference; fwd=stale{status}{joined}; ttl={ttl}; detail={}", detail(why))
            }
        }
    }

    /// The word in the metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::HitStale(_) | Self::FellBack { .. } => "stale",
            Self::Filled { .. } => "miss",
        }
    }
}

fn detail(failure: &Failure) -> &'static str {
    match failure {
        Failure::Barred(Barrier::RetryAfter(_)) => "retry-after",
        Failure::Barred(Barrier::CircuitOpen(_)) => "circuit-open",
        Failure::Barred(Barrier::RateLimit(_)) => "rate-limit",
        Failure::Timeout => "timeout",
        Failure::Connection => "connection",
        Failure::Status(_) => "status",
        Failure::Malformed => "malformed",
    }
}
