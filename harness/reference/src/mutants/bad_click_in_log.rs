//! Whoever refuses a click logs it, so that one can see what was wrong with it.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "bad-click-in-log",
    summary: "a click that is refused is logged as it came, with its visitor's address",
    breaks: "no-pii-in-logs",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.log.click_refused = |field, _, body| {
            let body = String::from_utf8_lossy(body);
            tracing::warn!(field, %body, "a click was refused");
        };
    },
};
