//! `Vary` is set together with the header that it belongs to.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "vary-on-allowed-only",
    summary: "answers to origins that are not let in do not say Vary: Origin",
    breaks: "cors-allowlist",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.front.cors.varies = |allowed| allowed;
    },
};
