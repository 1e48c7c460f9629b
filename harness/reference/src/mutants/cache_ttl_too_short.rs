//! A cache that forgets at once.

use super::Mutant;
use std::time::Duration;

pub const MUTANT: Mutant = Mutant {
    id: "cache-ttl-too-short",
    summary: "a page expires the moment it is filled",
    breaks: "cache-hit-ratio",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| seams.pages.freshness = |_| Duration::ZERO,
};
