//! What a service talks to, as one document: Linktree's side from the mock, the front door from what
//! visitors do, and the plan's format. Text for people is made of the same JSON.

mod config_text;
mod fields;
mod front_door;
mod plan_text;
mod text;

pub use config_text::{Entry, config_text, entries};
pub use plan_text::plan_text;
pub use text::contract_text;

use crate::config::Config;
use crate::config::model::File;
use mock_server::profile::ContractProfile;
use scenarios::front_door::{FrontDoor, FrontRoute};
use scenarios::plan::RunPlan;
use serde_json::{Map, Value, json};

/// What of a service is called, and how it spells that.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its routes.
    pub front: FrontDoor,
    /// The path that says whether it is ready.
    pub ready: String,
    /// Where its metrics are, if not at its own port.
    pub metrics_url: Option<String>,
    /// The file that says so; none for the contract's own.
    pub file: Option<String>,
}

impl Service {
    /// As a configuration spells it; without a file, the contract's own.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let File { target, front_door, observe, .. } = &config.file;
        let spawned = target.spawn.as_ref().map(|spawn| &spawn.ready);
        let ready = spawned.or(target.url.as_ref().map(|running| &running.ready));
        let elsewhere = Some(&front_door.metrics).filter(|metrics| metrics.starts_with("http"));
        let mut front = front_door.clone();
        if observe.metrics.channel.is_pushed() {
            // Nobody asks for them.
            front.without.push(FrontRoute::Metrics);
        }
        Self {
            front,
            ready: ready.map_or("/healthz", String::as_str).to_owned(),
            metrics_url: observe.metrics_url.as_ref().or(elsewhere).cloned(),
            file: config.path.as_ref().map(|path| path.display().to_string()),
        }
    }
}

/// The contract of both sides as OpenAPI 3.1: what the service calls, and what is called of it.
#[must_use]
pub fn contract(profile: &ContractProfile, service: &Service) -> Value {
    let mut document = mock_server::api::openapi(profile);
    for (path, item) in front_door::paths(service) {
        // Two of them may be one path with two methods.
        let known = document["paths"][&path].as_object().cloned().unwrap_or_default();
        let both: Map<String, Value> = known.into_iter().chain(item).collect();
        document["paths"][path] = both.into();
    }
    document["components"]["securitySchemes"]["session"] = front_door::session(&service.front);
    let spelt = match &service.file {
        Some(file) => format!("As {file} spells it."),
        None => {
            "Each route is spelt otherwise, or left out, in [front_door] of windthrow.toml.".into()
        }
    };
    let about =
        format!("What visitors, creators, Linktree and a scraper call of the service. {spelt}");
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
