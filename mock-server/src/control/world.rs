//! Who has an account at the mock, and what happens in its world.

use super::input::{Input, Name, Params};
use super::problem::Problem;
use super::{ApiResult, ApiState};
use crate::world::WorldEvent;
use crate::world::population::Creator;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

/// Handles in one answer, unless the caller says otherwise, and at most.
const SOME: usize = 100;
const MOST: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    #[serde(default)]
    prefix: String,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Handles {
    handles: Vec<String>,
    /// Give it as `after` to get more.
    next: Option<String>,
}

pub(super) async fn list(State(api): ApiState, Params(which): Params<Which>) -> Json<Handles> {
    let limit = which.limit.unwrap_or(SOME).clamp(1, MOST);
    let all = api.mock.handles();
    let start = which.after.as_ref().and_then(|after| all.iter().position(|known| known == after));
    let rest = all.into_iter().skip(start.map_or(0, |at| at + 1));
    let mut handles: Vec<String> =
        rest.filter(|handle| handle.starts_with(&which.prefix)).take(limit + 1).collect();
    let more = handles.len() > limit;
    handles.truncate(limit);
    let next = handles.last().filter(|_| more).cloned();
    Json(Handles { handles, next })
}

pub(super) async fn one(State(api): ApiState, Name(handle): Name) -> ApiResult<Json<Creator>> {
    api.mock.creator(&handle).map(Json).ok_or_else(|| {
        let message = format!("nobody has the handle {handle:?}");
        Problem::new(StatusCode::NOT_FOUND, "no_such_creator", message)
            .help("GET /creators lists all handles")
    })
}

#[derive(Serialize)]
pub(super) struct Made {
    /// The id of the new key, or of the message.
    made: Option<String>,
}

pub(super) async fn happen(
    State(api): ApiState,
    Input(event): Input<WorldEvent>,
) -> ApiResult<Json<Made>> {
    let made = api.mock.happen(&event)?;
    tracing::info!(kind = event.kind(), made, "an event of the world happened");
    Ok(Json(Made { made }))
}
