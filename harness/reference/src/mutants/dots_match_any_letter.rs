//! The allowed origin became a pattern, and nobody escaped its dots.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "dots-match-any-letter",
    summary: "an origin with a letter where the allowed one has a dot is let in",
    breaks: "cors-allowlist",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        let allows: fn(&[String], &str) -> bool = |allowed, origin| {
            let fits = |one: &String| {
                let mut letters = one.chars().zip(origin.chars());
                one.len() == origin.len() && letters.all(|(of, one)| of == one || of == '.')
            };
            allowed.iter().any(fits)
        };
        (seams.front.cors.allows, seams.front.cors.allows_on_error) = (allows, allows);
    },
};
