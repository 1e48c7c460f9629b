//! Long payloads were cut for the log, and the file got the same.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-payload-cut",
    summary: "of a payload the first 1024 bytes are kept",
    breaks: "webhook-failures-logged",
    may_also_break: &[],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.keeps = |body| Some(body[..body.len().min(1_024)].to_vec()),
};
