//! The key is read when the service starts, as it always was.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "key-read-once",
    summary: "the vault is read at the start and never again",
    breaks: "key-rotation",
    may_also_break: &["clicks-delivered", "click-lag"],
    shown_by: "key-rotation-under-load",
    apply: |seams| {
        seams.keys.polls = |_| None;
        seams.keys.asks_when_refused = false;
    },
};
