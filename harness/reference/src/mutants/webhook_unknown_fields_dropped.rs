//! What is kept is what the types of the service have fields for.

use super::Mutant;
use serde_json::Value;

pub const MUTANT: Mutant = Mutant {
    id: "webhook-unknown-fields-dropped",
    summary: "of a payload that is JSON the known fields are kept",
    breaks: "webhook-failures-logged",
    may_also_break: &[],
    shown_by: "webhook-flood",
    apply: |seams| seams.webhooks.keeps = |body| Some(known_fields(body)),
};

fn known_fields(body: &[u8]) -> Vec<u8> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else { return body.to_vec() };
    fields.retain(|name, _| ["id", "type", "created_at", "data"].contains(&name.as_str()));
    Value::Object(fields).to_string().into_bytes()
}
