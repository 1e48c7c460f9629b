//! Credentials at run time: rotation with an overlap, and keys of other kinds.

use super::ApiState;
use super::input::Input;
use crate::keyring::{Account, Environment, NewKey};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    /// How long the old credential goes on working, real milliseconds.
    #[serde(default)]
    overlap_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRequest {
    #[serde(default)]
    environment: Environment,
    /// A creator's handle; a key for every account without it.
    #[serde(default)]
    account: Option<String>,
    /// The profile's scopes without it.
    #[serde(default)]
    scopes: Option<Vec<String>>,
    /// How long ago it was made, real seconds.
    #[serde(default)]
    age_s: u64,
}

#[derive(Serialize)]
pub(super) struct Key {
    api_key: String,
}

#[derive(Serialize)]
pub(super) struct Secret {
    webhook_secret: String,
}

pub(super) async fn rotate(
    State(api): ApiState,
    Input(Rotation { overlap_ms }): Input<Rotation>,
) -> Json<Key> {
    api.mock.rotate_api_key(Duration::from_millis(overlap_ms));
    tracing::info!(overlap_ms, "the API key was rotated");
    Json(Key { api_key: api.mock.api_key() })
}

pub(super) async fn rotate_secret(
    State(api): ApiState,
    Input(Rotation { overlap_ms }): Input<Rotation>,
) -> Json<Secret> {
    api.mock.rotate_webhook_secret(Duration::from_millis(overlap_ms));
    tracing::info!(overlap_ms, "the webhook secret was rotated");
    Json(Secret { webhook_secret: api.mock.webhook_secret() })
}

pub(super) async fn issue(
    State(api): ApiState,
    Input(KeyRequest { environment, account, scopes, age_s }): Input<KeyRequest>,
) -> (StatusCode, Json<Key>) {
    let account = account.map_or(Account::Every, Account::One);
    let age = Duration::from_secs(age_s);
    let api_key = api.mock.issue_key(NewKey { environment, scopes, account, age });
    tracing::info!(?environment, "a key was issued");
    (StatusCode::CREATED, Json(Key { api_key }))
}
