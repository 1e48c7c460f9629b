//! The client is logged where something was refused, to see whether it was set up well.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "key-in-log-of-refusals",
    summary: "the client is logged with its key where a handle is unknown",
    breaks: "no-secret-leaked",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.front.refused = |what, upstream| {
            if what == "handle" {
                let (base, api_key) = (upstream.base(), upstream.secrets().api_key.clone());
                tracing::warn!(base, api_key, "Linktree does not know this handle");
            }
        };
    },
};
