//! An expired page is good enough when asking has failed, and not a moment before.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "visitors-wait-out-timeouts",
    summary: "a visitor waits until the fetch has failed before the expired page is shown",
    breaks: "stale-on-outage",
    may_also_break: &[],
    shown_by: "outage-and-replay",
    apply: |seams| seams.pages.revalidation_wait = |_| Duration::from_secs(60),
};
