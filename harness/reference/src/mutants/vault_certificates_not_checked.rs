//! The vault inside the house had a certificate of its own making, and its client was told to skip the
//! check (`VAULT_SKIP_VERIFY`).

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "vault-certificates-not-checked",
    summary: "any certificate of the vault is accepted; Linktree's are checked",
    breaks: "tls-verified",
    may_also_break: &[],
    shown_by: "tls-faults",
    apply: |seams| {
        seams.tls.vault_checks = |client| client.tls_danger_accept_invalid_certs(true);
    },
};
