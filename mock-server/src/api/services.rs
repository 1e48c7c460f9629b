//! What a service asks of the secrets manager, and where its alerts go.

use super::document::variable;
use crate::keyring::Environment;
use serde_json::{Map, Value, json};

/// The two calls that the contract knows of; HashiCorp's Vault and the Alertmanager document the rest.
pub(super) fn documented(environment: Environment) -> Map<String, Value> {
    let (live, staging) = ("/v1/secret/data/linktree", "/v1/secret/data/linktree-staging");
    let (own, other) = match environment {
        Environment::Live => (live, staging),
        Environment::Test => (staging, live),
    };
    Map::from_iter([(own.to_owned(), secret(other)), ("/api/v2/alerts".to_owned(), alerts())])
}

fn server(name: &str) -> Value {
    json!([{ "url": format!("{{{name}}}"), "variables": variable(name) }])
}

fn secret(other: &str) -> Value {
    let text = |what: &str| json!({ "type": "string", "description": what });
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties });
    let metadata = json!({
        "version": { "type": "integer", "description": "Raised by each rotation." },
        "created_time": text("When this version was made, RFC 3339."),
    });
    let pair = json!({
        "api_key": text("The key for Linktree."),
        "webhook_secret": text("What signs webhooks."),
    });
    let data = json!({
        "data": object(&["api_key", "webhook_secret"], pair),
        "metadata": object(&["version", "created_time"], metadata),
    });
    let data = object(&["data", "metadata"], data);
    let schema = object(&["data"], json!({ "data": data }));
    let ok = json!({
        "description": "Key and webhook secret, as HashiCorp's KV version 2 has them.",
        "content": { "application/json": { "schema": schema } },
    });
    let get = json!({
        "tags": ["vault"],
        "operationId": "readSecret",
        "summary": "The credentials that are valid now",
        "description": format!(
            "The path is `{{vault.secret}}`, and the token `{{vault.token}}` or what a login with \
             `{{vault.role_id}}` and `{{vault.secret_id}}` gives. A key may be rotated at any time: read it again \
             when Linktree answers 401. What stands at {other} is of the other environment, and refused here."
        ),
        "parameters": [],
        "security": [{ "vaultToken": [] }],
        "responses": {
            "200": ok,
            "403": { "description": "The token is missing, has expired, or may not read it." },
        },
    });
    json!({ "servers": server("vault.url"), "get": get })
}

fn alerts() -> Value {
    let labels = |what: &str| {
        let texts = json!({ "type": "string" });
        json!({ "type": "object", "description": what, "additionalProperties": texts })
    };
    let alert = json!({
        "type": "object",
        "required": ["labels"],
        "properties": {
            "labels": labels("`alertname`, and what tells it from others."),
            "annotations": labels("What people shall read."),
            "startsAt": { "type": "string", "format": "date-time" },
            "endsAt": { "type": "string", "format": "date-time" },
            "generatorURL": { "type": "string" },
        },
    });
    let schema = json!({ "type": "array", "items": alert });
    let post = json!({
        "tags": ["alerts"],
        "operationId": "postAlerts",
        "summary": "Alerts that fire or have ended, as an Alertmanager takes them",
        "description": "Which alert stands for what is named in [observe.alerts].",
        "parameters": [],
        "security": [],
        "requestBody": { "required": true, "content": { "application/json": { "schema": schema } } },
        "responses": {
            "200": { "description": "They were taken." },
            "400": { "description": "They are no alerts." },
        },
    });
    json!({ "servers": server("alerts.url"), "post": post })
}
