//! An access log with whole addresses, and newsletters put e-mails into theirs.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "query-in-log",
    summary: "each page view is logged with its query",
    breaks: "no-pii-in-logs",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.log.page_asked = |uri, _| tracing::info!(%uri, "GET");
    },
};
