//! Four workers, as the template for the service said: each has one visitor until he has his answer, and
//! whoever waits for a slow Linktree keeps his from those whose pages are at hand.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "workers-wait-for-linktree",
    summary: "four visitors who wait for pages that are being fetched keep all others waiting",
    breaks: "pages-served",
    may_also_break: &["stale-on-outage", "breaker-opens"],
    shown_by: "gray-failure",
    apply: |seams| seams.pages.workers = Some(4),
};
