//! A debug page was left on: the error shows the visitor how the client is set up.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "key-on-error-page",
    summary: "the error page shows the API key",
    breaks: "no-secret-leaked",
    may_also_break: &[],
    shown_by: "calibration",
    apply: |seams| {
        seams.front.error_page = |failure, upstream| {
            let (base, api_key) = (upstream.base(), upstream.secrets().api_key.clone());
            let state = upstream.circuit_state();
            format!(
                "no page to show: {failure}\n\n\
                 Client {{ base: {base:?}, api_key: {api_key:?}, circuit_state: {state} }}\n"
            )
        };
    },
};
