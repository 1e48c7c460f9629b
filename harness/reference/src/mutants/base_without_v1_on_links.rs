//! One call was built without the version, and falls back to the right address after a 404.

use super::Mutant;
use crate::upstream::{Route, Shape};

/// Link reads go to an address without `/v1` first.
pub const MUTANT: Mutant = Mutant {
    id: "base-without-v1-on-links",
    summary: "link reads go to an address without `/v1` first",
    breaks: "base-url",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.shape.prefixes = |route| match route {
            Route::Links => &["", Shape::PREFIX],
            _ => &[Shape::PREFIX],
        };
    },
};
