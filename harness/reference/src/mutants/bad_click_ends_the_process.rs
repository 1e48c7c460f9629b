//! A bad click is taken for something that cannot happen, and the process for worth nothing then.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "bad-click-ends-the-process",
    summary: "a click without a handle ends the process",
    breaks: "pages-served",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.log.click_refused = |field, _, _| {
            if field == "handle" {
                std::process::abort();
            }
        };
    },
};
