//! No client waits for longer than five seconds, whatever it was told.

use super::Mutant;
use crate::upstream::retry_after::seconds_or_date;
use std::time::Duration;

/// Of real time, as what stands on the wire is.
const LONGEST: Duration = Duration::from_secs(5);

pub const MUTANT: Mutant = Mutant {
    id: "retry-after-capped",
    summary: "`Retry-After` is obeyed for five seconds at the most",
    breaks: "retry-after-honoured",
    may_also_break: &[],
    shown_by: "rate-limit-storm",
    apply: |seams| {
        seams.upstream.retry_after.parse =
            |text, wall| Some(seconds_or_date(text, wall)?.min(LONGEST));
    },
};
