//! Whoever is told "no access" stops at once: there is one breaker, so everybody stops.

use super::Mutant;
use crate::linktree::Failure;

pub const MUTANT: Mutant = Mutant {
    id: "denied-clicks-open-the-breaker",
    summary: "one 403, such as that of a click, opens the breaker that pages share",
    breaks: "least-scope",
    may_also_break: &["breaker-opens"],
    shown_by: "feature-tour",
    apply: |seams| {
        seams.upstream.breaker.threshold = Some(1);
        seams.upstream.counts_as_failure = |failure| *failure == Failure::Status(403);
    },
};
