//! The framework hands the handler parsed JSON, and the handler verifies what it writes of it.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-json-verified-again",
    summary: "a signature is verified over the body as it reads when parsed and written again",
    breaks: "webhook-signature",
    may_also_break: &["webhook-failures-logged"],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.covered = written_again,
};

fn written_again(body: &[u8]) -> Vec<u8> {
    let parsed = serde_json::from_slice::<serde_json::Value>(body);
    parsed.ok().and_then(|value| serde_json::to_vec(&value).ok()).unwrap_or_default()
}
