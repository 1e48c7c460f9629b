//! Origins are compared by their beginning, to let in every port.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "origins-by-beginning",
    summary: "an origin that begins with the allowed one is let in",
    breaks: "cors-allowlist",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        let allows: fn(&[String], &str) -> bool =
            |allowed, origin| allowed.iter().any(|one| origin.starts_with(one));
        (seams.front.cors.allows, seams.front.cors.allows_on_error) = (allows, allows);
    },
};
