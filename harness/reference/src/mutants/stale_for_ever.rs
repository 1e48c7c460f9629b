//! Pages are filled once, and nobody thought of their second day.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "stale-for-ever",
    summary: "a page that was filled once is never fetched again",
    breaks: "stale-on-outage",
    may_also_break: &["breaker-recovers"],
    shown_by: "outage-and-replay",
    apply: |seams| seams.pages.freshness = |_| Duration::from_secs(86_400),
};
