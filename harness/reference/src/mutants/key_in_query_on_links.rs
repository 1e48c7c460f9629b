//! One call was written after an old example, with the key in its address.

use super::Mutant;
use crate::upstream::{KeyPlacement, Route};

/// Link reads carry the API key in the query.
pub const MUTANT: Mutant = Mutant {
    id: "key-in-query-on-links",
    summary: "link reads carry the API key in the query",
    breaks: "bearer-header-only",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.shape.key = |route| match route {
            Route::Links => KeyPlacement::HeaderAndQuery,
            _ => KeyPlacement::Header,
        };
    },
};
