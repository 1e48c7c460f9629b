//! What counts is since when a click has not been tried: each attempt, in vain as it is, begins anew.

use super::Mutant;
use crate::{clicks::Backlog, clock, linktree::Lane, recent::Recent};
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "click-lag-of-the-last-attempt",
    summary: "the click lag is counted from the last attempt, and not from the acknowledgement",
    breaks: "click-lag",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| seams.lag.of = since_the_last_attempt,
};

/// Longer than any storm.
const ALL: Duration = Duration::from_secs(86_400);

fn since_the_last_attempt(backlog: Backlog, recent: &Recent) -> Duration {
    let attempts = recent.within(ALL);
    let last = attempts.iter().rev().find(|one| one.route.lane() == Lane::Clicks);
    let rested = last.map_or(ALL, |one| clock::now().duration_since(one.at));
    backlog.age().min(rested)
}
