//! A refused key is an error of the configuration, and those are shown to everybody at once.

use super::Mutant;
use crate::linktree::Failure;

pub const MUTANT: Mutant = Mutant {
    id: "no-page-while-the-key-is-refused",
    summary: "an expired page is not shown while the key is refused, until the vault is asked, which is seldom",
    breaks: "key-rotation",
    may_also_break: &[],
    shown_by: "key-rotation-under-load",
    apply: |seams| {
        seams.keys.asks_when_refused = false;
        seams.keys.polls = |configured| Some(configured * 3);
        seams.pages.stale_after = |failure| *failure != Failure::Status(401);
    },
};
