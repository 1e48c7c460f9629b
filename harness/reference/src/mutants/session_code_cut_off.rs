//! Codes are compared for as long as both last.

use super::Mutant;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub const MUTANT: Mutant = Mutant {
    id: "session-code-cut-off",
    summary: "half of a code opens a session, and none at all does so, too",
    breaks: "analytics-scope",
    may_also_break: &[],
    shown_by: "slow-analytics",
    apply: |seams| {
        seams.verify = |secret, handle, code| {
            let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
            let right = mac.chain_update(handle).finalize().into_bytes();
            right.iter().zip(code).all(|(right, shown)| right == shown)
        };
    },
};
