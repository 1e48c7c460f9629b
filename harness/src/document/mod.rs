//! What a service talks to, as one document: Linktree's side from the mock, the front door from what
//! visitors do, and the plan's format. Text for people is made of the same JSON.

mod fields;
mod front_door;
mod plan_text;
mod text;

pub use plan_text::plan_text;
pub use text::contract_text;

use mock_server::profile::ContractProfile;
use scenarios::front_door::FrontDoor;
use scenarios::plan::RunPlan;
use serde_json::{Value, json};

/// The contract of both sides as OpenAPI 3.1: what the service calls, and what is called of it.
#[must_use]
pub fn contract(profile: &ContractProfile, front: &FrontDoor) -> Value {
    let mut document = mock_server::api::openapi(profile);
    for (path, item) in front_door::paths(front) {
        document["paths"][path] = item;
    }
    document["components"]["securitySchemes"]["session"] = front_door::session(front);
    let about = "What visitors, creators, Linktree and a scraper call of the service. Each route is spelt \
                 otherwise, or left out, in [front_door] of windthrow.toml.";
    let tags = document["tags"].as_array_mut();
    tags.into_iter().for_each(|tags| {
        tags.push(json!({ "name": "front door", "description": about }));
    });
    document
}

/// The JSON schema of a plan file.
#[must_use]
pub fn plan_schema() -> Value {
    let mut schema = schemars::schema_for!(RunPlan).to_value();
    let numbers = json!({ "type": "object", "additionalProperties": { "type": "integer" } });
    // What a profile promises is checked by whoever judges, and left out where profiles are.
    schema["$defs"]["ContractProfile"]["properties"]["promises"] = json!({
        "description": "Numbers that guarantees promise otherwise than by default.",
        "type": "object",
        "additionalProperties": numbers,
    });
    schema["title"] = "A plan of windthrow: everything that a run will do".into();
    schema
}

#[cfg(test)]
mod tests;
