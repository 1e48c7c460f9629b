//! A file on somebody's desk was to be a front end as well.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "null-origin-allowed",
    summary: "the origin null is let in, which every sandboxed page has",
    breaks: "cors-allowlist",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        let allows: fn(&[String], &str) -> bool =
            |allowed, origin| origin == "null" || allowed.iter().any(|one| one == origin);
        (seams.front.cors.allows, seams.front.cors.allows_on_error) = (allows, allows);
    },
};
