//! Webhooks: who is registered, and messages that go out when they are asked for.

use super::input::{Input, Name};
use super::problem::Problem;
use super::{ApiResult, ApiState};
use crate::webhooks::{Registration, WebhookEvent};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Serialize)]
pub(super) struct RegistrationList {
    webhooks: Vec<Registration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistrationRequest {
    url: String,
    events: Vec<WebhookEvent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    event: WebhookEvent,
    handle: String,
    #[serde(default)]
    data: Map<String, Value>,
}

#[derive(Serialize)]
pub(super) struct Sent {
    /// The message's id, the same in every delivery of it.
    id: String,
}

pub(super) async fn list(State(api): ApiState) -> Json<RegistrationList> {
    Json(RegistrationList { webhooks: api.mock.webhooks() })
}

pub(super) async fn register(
    State(api): ApiState,
    Input(RegistrationRequest { url, events }): Input<RegistrationRequest>,
) -> ApiResult<(StatusCode, Json<Registration>)> {
    let made = api.mock.register_webhook(&url, &events).map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unusable_webhook", error.to_string()).help(
            "{\"url\":\"http://127.0.0.1:8080/webhooks/linktree\",\"events\":[\"link.clicked\"]}",
        )
    })?;
    tracing::info!(made.id, url, "a webhook was registered");
    Ok((StatusCode::CREATED, Json(made)))
}

pub(super) async fn remove(State(api): ApiState, Name(id): Name) -> ApiResult<StatusCode> {
    if api.mock.remove_webhook(&id) {
        return Ok(StatusCode::NO_CONTENT);
    }
    let message = format!("there is no webhook {id:?}");
    Err(Problem::new(StatusCode::NOT_FOUND, "no_such_webhook", message)
        .help("GET /webhooks lists the registrations"))
}

/// Deliveries are under way when this answers; how they end is in the history.
pub(super) async fn send(
    State(api): ApiState,
    Input(Message { event, handle, data }): Input<Message>,
) -> ApiResult<(StatusCode, Json<Sent>)> {
    let id = api.mock.send_webhook(event, &handle, data)?.ok_or_else(|| {
        let message = format!("nobody is registered for {event}, or the queue is full");
        Problem::new(StatusCode::CONFLICT, "nobody_listens", message)
            .help("POST /webhooks registers an address; GET /webhooks lists who is active")
    })?;
    tracing::info!(id, %event, handle, "a webhook was sent");
    Ok((StatusCode::ACCEPTED, Json(Sent { id })))
}
