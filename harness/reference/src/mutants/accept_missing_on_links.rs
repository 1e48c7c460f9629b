//! One call was written by hand and lacks a header.

use super::Mutant;
use crate::linktree::Route;

pub const MUTANT: Mutant = Mutant {
    id: "accept-missing-on-links",
    summary: "link reads are sent without `Accept`",
    breaks: "json-headers",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| seams.upstream.shape.accept = |route| route != Route::Links,
};
