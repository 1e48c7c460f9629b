//! An info metric shall show which key is in use, and shows the key.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "key-in-metric-label",
    summary: "the API key is a label on /metrics",
    breaks: "no-secret-leaked",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.front.more_metrics = |upstream| {
            let (name, key) = ("linktree_upstream_key_info", upstream.secrets().api_key.clone());
            format!("# TYPE {name} gauge\n{name}{{key=\"{key}\"}} 1\n")
        };
    },
};
