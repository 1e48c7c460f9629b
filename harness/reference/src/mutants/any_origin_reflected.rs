//! Somebody's local front end was kept out, and then nobody's was.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "any-origin-reflected",
    summary: "every origin is let in, by its own name",
    breaks: "cors-allowlist",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        let allows: fn(&[String], &str) -> bool = |_, _| true;
        (seams.front.cors.allows, seams.front.cors.allows_on_error) = (allows, allows);
    },
};
