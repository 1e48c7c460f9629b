//! Errors are answered elsewhere, where the origin is taken from the request.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "errors-reflect-any-origin",
    summary: "an answer with an error lets in every origin",
    breaks: "cors-allowlist",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.front.cors.allows_on_error = |_, _| true;
    },
};
