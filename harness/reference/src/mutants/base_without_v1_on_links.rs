//! One call was built without the version, and falls back to the right address after a 404.

use super::Mutant;
use crate::linktree::{Route, VERSION_PREFIX};

pub const MUTANT: Mutant = Mutant {
    id: "base-without-v1-on-links",
    summary: "link reads go to an address without `/v1` first",
    breaks: "base-url",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.pages.prefixes = |route| match route {
            Route::Links => &["", VERSION_PREFIX],
            _ => &[VERSION_PREFIX],
        };
    },
};
