//! A route was guessed from its neighbours, and a 404 falls back to the right one.

use super::Mutant;
use crate::linktree::{Route, VERSION_PREFIX};

pub const MUTANT: Mutant = Mutant {
    id: "links-route-guessed",
    summary: "link reads try a route that the contract does not have first",
    breaks: "base-url",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.pages.prefixes = |route| match route {
            Route::Links => &["/v1/links", VERSION_PREFIX],
            _ => &[VERSION_PREFIX],
        };
    },
};
