//! Answers that the fault `hold` holds back: who waits, and their release.

use super::ApiState;
use super::input::Name;
use crate::faults::holds::Held;
use axum::Json;
use axum::extract::State;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct HeldList {
    held: Vec<Held>,
}

#[derive(Serialize)]
pub(super) struct Released {
    released: usize,
}

pub(super) async fn list(State(api): ApiState) -> Json<HeldList> {
    Json(HeldList { held: api.mock.held() })
}

/// A rule that holds nothing back just now releases nothing: that is no error, as the client may
/// have left a moment ago.
pub(super) async fn release(State(api): ApiState, Name(rule): Name) -> Json<Released> {
    let released = api.mock.release(&rule);
    tracing::info!(rule, released, "answers were released");
    Json(Released { released })
}

pub(super) async fn release_all(State(api): ApiState) -> Json<Released> {
    let released = api.mock.release_all();
    tracing::info!(released, "all answers were released");
    Json(Released { released })
}
