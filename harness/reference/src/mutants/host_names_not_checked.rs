//! An address was called that stood in no certificate, and so the names were no longer compared.

use super::Mutant;
use crate::tls::TlsPolicy;
use reqwest::ClientBuilder;

pub const MUTANT: Mutant = Mutant {
    id: "host-names-not-checked",
    summary: "a certificate is accepted whomever it names",
    breaks: "tls-verified",
    may_also_break: &[],
    shown_by: "tls-faults",
    apply: |seams| {
        let checks = |client: ClientBuilder| client.tls_danger_accept_invalid_hostnames(true);
        seams.tls = TlsPolicy { checks, vault_checks: checks };
    },
};
