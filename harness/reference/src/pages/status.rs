//! Says in `Cache-Status` (RFC 9211) where a page came from.

use super::freshness::Freshness;
use crate::{
    linktree::{Barrier, Failure},
    source::Source,
};
use tokio::time::Instant;

/// The value of the header, for a page with this `life`.
pub fn cache_status(source: &Source, life: &Freshness, now: Instant) -> String {
    let ttl = life.ttl(now);
    let joined = |collapsed: bool| if collapsed { "; collapsed" } else { "" };
    match source {
        Source::Hit => format!("reference; hit; ttl={ttl}"),
        Source::HitStale(why) => format!("reference; hit; ttl={ttl}; detail={}", detail(why)),
        Source::Filled { had_page, collapsed } => {
            let forwarded = if *had_page { "stale" } else { "miss" };
            format!("reference; fwd={forwarded}; stored{}; ttl={ttl}", joined(*collapsed))
        }
        Source::FellBack { failure: why, collapsed } => {
            let status = match why {
                Failure::Status(status) => format!("; fwd-status={status}"),
                _ => String::new(),
            };
            let joined = joined(*collapsed);
            format!("reference; fwd=stale{status}{joined}; ttl={ttl}; detail={}", detail(why))
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
