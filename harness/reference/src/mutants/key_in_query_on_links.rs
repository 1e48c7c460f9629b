//! One call was written after an old example, with the key in its address.

use super::Mutant;
use crate::{linktree::Route, upstream::KeyPlacement};

pub const MUTANT: Mutant = Mutant {
    id: "key-in-query-on-links",
    summary: "link reads carry the API key in the query",
    breaks: "bearer-header-only",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.upstream.shape.key = |route| match route {
            Route::Links => KeyPlacement::HeaderAndQuery,
            _ => KeyPlacement::Header,
        };
    },
};
