//! Linktree's deliveries: what their bodies say, and which headers the profile's scheme signs them with.

use crate::profile::Webhooks;
use crate::webhooks::WebhookEvent;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A delivery.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Delivery<D> {
    /// The message's id, the same in every attempt.
    pub id: String,
    /// What happened.
    pub r#type: WebhookEvent,
    /// When, RFC 3339.
    pub created_at: String,
    /// What it is about.
    pub data: D,
}

/// A click has counted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LinkClicked {
    /// The click's id.
    pub event_id: String,
    /// The link's id.
    pub link_id: String,
    /// When it was clicked, RFC 3339.
    pub occurred_at: String,
}

/// A link has changed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LinkUpdated {
    /// The link's id.
    pub link_id: String,
    /// Its title now.
    pub title: String,
    /// Its address now.
    pub url: String,
    /// Where pages show it.
    pub position: u32,
    /// Whether they do.
    pub is_active: bool,
}

/// A creator has changed the page.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProfileUpdated {
    /// The page's version now.
    pub version: String,
}

/// Each event's delivery as an OpenAPI webhook.
pub(super) fn documented(
    generator: &mut SchemaGenerator,
    webhooks: &Webhooks,
) -> Map<String, Value> {
    let event = |event: WebhookEvent| {
        let (schema, summary) = match event {
            WebhookEvent::LinkClicked => (about::<LinkClicked>(generator), "A click has counted"),
            WebhookEvent::LinkUpdated => (about::<LinkUpdated>(generator), "A link has changed"),
            WebhookEvent::ProfileUpdated => {
                (about::<ProfileUpdated>(generator), "A creator has changed the page")
            }
        };
        (event.name().to_owned(), json!({ "post": delivery(webhooks, event, summary, &schema) }))
    };
    WebhookEvent::ALL.into_iter().map(event).collect()
}

/// A delivery whose data says this, and whose page it is, and has a nonce.
fn about<D: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let data = json!({
        "handle": { "type": "string", "description": "Whose page it is about." },
        "nonce": { "type": "string", "description": "No two messages have the same." },
    });
    let data = json!({ "type": "object", "properties": data, "required": ["handle", "nonce"] });
    let schema = generator.subschema_for::<Delivery<D>>().to_value();
    json!({ "allOf": [schema, { "type": "object", "properties": { "data": data } }] })
}

fn delivery(webhooks: &Webhooks, event: WebhookEvent, summary: &str, schema: &Value) -> Value {
    let headers = webhooks.scheme.example(event).into_iter().map(|(name, value)| {
        let schema = json!({ "type": "string" });
        json!({ "name": name, "in": "header", "required": true, "example": value, "schema": schema })
    });
    let content = webhooks.content_types.iter().map(|kind| {
        // The parameter is no part of a media type's name here.
        let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
        (kind, json!({ "schema": schema }))
    });
    let mut responses = json!({
        "2XX": { "description": "It was taken." },
        "4XX": { "description": "It is not believed, or cannot be processed and is kept. It is sent again." },
        "default": { "description": "It is sent again." },
    });
    for status in &webhooks.disable_on {
        responses[status.to_string()] = json!({ "description": "The registration ends." });
    }
    json!({
        "tags": ["webhooks"],
        "operationId": format!("on{}", summary.replace(' ', "")),
        "summary": summary,
        "parameters": headers.collect::<Vec<_>>(),
        "requestBody": { "required": true, "content": content.collect::<Map<_, _>>() },
        "responses": responses,
    })
}

/// What deliveries are, how they are signed, and when they come again.
pub(super) fn rules(webhooks: &Webhooks) -> String {
    let Webhooks { scheme, tolerance_s, timeout_ms, retry_ms, .. } = webhooks;
    let pauses: Vec<_> = retry_ms.iter().map(ToString::to_string).collect();
    format!(
        "What Linktree sends to the service. The signature is an HMAC-SHA256 over `{}`, of the bytes as they came: whoever parses and writes them \
         again signs something else. The secret is {}. While a secret is replaced either may have signed. {} \
         Whatever is not 2xx within {timeout_ms} ms is sent again after {} ms, with the same id.",
        scheme.covered_words(),
        scheme.secret_words(),
        match scheme.covered_words().contains("{timestamp}") {
            true => format!("A timestamp more than {tolerance_s} s from now is not believed."),
            false => "The time is not signed.".to_owned(),
        },
        pauses.join(", "),
    )
}
