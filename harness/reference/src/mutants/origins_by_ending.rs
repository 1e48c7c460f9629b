//! Every sub-domain shall be let in, by the end of its name.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "origins-by-ending",
    summary: "an origin whose host ends with the allowed one is let in",
    breaks: "cors-allowlist",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        let allows: fn(&[String], &str) -> bool = |allowed, origin| {
            allowed.iter().any(|one| origin.ends_with(one.trim_start_matches("https://")))
        };
        (seams.front.cors.allows, seams.front.cors.allows_on_error) = (allows, allows);
    },
};
