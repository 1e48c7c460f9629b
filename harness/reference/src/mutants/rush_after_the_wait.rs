//! Linktree itself has said when to come back, so that whoever comes then must be welcome.

use super::Mutant;
use std::time::Duration;

/// As long as those who waited take to go.
const RUSH: Duration = Duration::from_millis(500);

pub const MUTANT: Mutant = Mutant {
    id: "rush-after-the-wait",
    summary: "for half a second after a `Retry-After` is over, nobody asks the limiter",
    breaks: "client-rate-cap",
    may_also_break: &["hard-limit"],
    shown_by: "rate-limit-storm",
    apply: |seams| {
        seams.upstream.limits_attempt = |_, open_for| open_for.is_none_or(|open| open > RUSH);
    },
};
