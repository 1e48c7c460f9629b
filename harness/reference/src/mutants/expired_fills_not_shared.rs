//! Stale while revalidating, once for each who sees the stale page: a page that nobody has is fetched once,
//! and one that has expired by everybody.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "expired-fills-not-shared",
    summary: "each visitor of a page that has expired has it fetched again, whether or not it is being fetched",
    breaks: "cache-hit-ratio",
    may_also_break: &[],
    shown_by: "thundering-herd",
    apply: |seams| seams.pages.joins = |known, _| !known,
};
