//! Request collapsing with a key that leaves out whose page is asked for.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "wrong-creator-under-collapsing",
    summary: "a visitor who joins a fill in the air gets, and caches, another creator's page",
    breaks: "stale-on-outage",
    may_also_break: &["breaker-recovers"],
    shown_by: "outage-and-replay",
    apply: |seams| {
        seams.pages.collapse_key = |handle, in_flight| in_flight.unwrap_or(handle).to_owned();
    },
};
