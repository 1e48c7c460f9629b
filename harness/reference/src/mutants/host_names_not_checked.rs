//! An address was called that stood in no certificate, and so the names were no longer compared.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "host-names-not-checked",
    summary: "a certificate is accepted whomever it names",
    breaks: "tls-verified",
    may_also_break: &[],
    shown_by: "tls-faults",
    apply: |seams| seams.tls.checks = |client| client.tls_danger_accept_invalid_hostnames(true),
};
