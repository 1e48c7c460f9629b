//! The test environment had a certificate that nobody knew, and the flag that let it pass went live.

use super::Mutant;
use crate::tls::TlsPolicy;
use reqwest::ClientBuilder;

pub const MUTANT: Mutant = Mutant {
    id: "certificates-not-checked",
    summary: "any certificate is accepted, of anybody and for any time",
    breaks: "tls-verified",
    may_also_break: &[],
    shown_by: "tls-faults",
    apply: |seams| {
        let checks = |client: ClientBuilder| client.tls_danger_accept_invalid_certs(true);
        seams.tls = TlsPolicy { checks, vault_checks: checks };
    },
};
