//! Answers that the fault `hold` holds back: who waits, and their release.

use super::Shared;
use super::input::Name;
use crate::faults::holds::Held;
use axum::Json;
use axum::extract::State;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Holds {
    held: Vec<Held>,
}

#[derive(Serialize)]
pub(super) struct Released {
    released: usize,
}

pub(super) async fn list(State(api): Shared) -> Json<Holds> {
    Json(Holds { held: api.mock.held() })
}

/// A rule that holds nothing back just now releases nothing: that is no error, as the client may
/// have left a moment ago.
pub(super) async fn release(State(api): Shared, Name(rule): Name) -> Json<Released> {
    let released = api.mock.release(&rule);
    tracing::info!(rule, released, "answers were released");
    Json(Released { released })
}

pub(super) async fn release_all(State(api): Shared) -> Json<Released> {
    let released = api.mock.release_all();
    tracing::info!(released, "all answers were released");
    Json(Released { released })
}
