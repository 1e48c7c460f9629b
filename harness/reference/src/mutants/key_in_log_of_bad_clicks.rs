//! The error report of a bad click takes the whole context along, with the client in it.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "key-in-log-of-bad-clicks",
    summary: "a click that is refused is reported together with the client's key",
    breaks: "no-secret-leaked",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.front.refused = |what, upstream| {
            if what == "click" {
                let api_key = upstream.secrets().api_key.clone();
                tracing::error!(api_key, "bad request: no such click");
            }
        };
    },
};
