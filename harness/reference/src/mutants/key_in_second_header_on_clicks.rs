//! The gateway of long ago read another header, which is still sent with deliveries.

use super::Mutant;
use crate::{linktree::Route, upstream::KeyPlacement};

pub const MUTANT: Mutant = Mutant {
    id: "key-in-second-header-on-clicks",
    summary: "click deliveries carry the API key in `X-Api-Key` as well",
    breaks: "bearer-header-only",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.upstream.shape.key = |route| match route {
            Route::Click | Route::ClickBatch => KeyPlacement::TwoHeaders,
            _ => KeyPlacement::Header,
        };
    },
};
