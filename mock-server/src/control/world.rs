//! Who has an account at the mock, and changes to their pages.

use super::input::{Input, Name, Params};
use super::problem::Problem;
use super::{Answer, Shared};
use crate::world::Change;
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

pub(super) async fn list(State(api): Shared, Params(which): Params<Which>) -> Json<Handles> {
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

pub(super) async fn one(State(api): Shared, Name(handle): Name) -> Answer<Json<Creator>> {
    api.mock.creator(&handle).map(Json).ok_or_else(|| {
        let message = format!("nobody has the handle {handle:?}");
        Problem::new(StatusCode::NOT_FOUND, "no_such_creator", message)
            .help("GET /creators lists all handles")
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    handles: String,
    #[serde(default)]
    change: Change,
}

pub(super) async fn edit(
    State(api): Shared,
    Input(Edit { handles, change }): Input<Edit>,
) -> Answer<StatusCode> {
    let now = api.mock.clock().now();
    api.mock.edit(now, &handles, change).map_err(|error| {
        Problem::new(StatusCode::CONFLICT, "too_many_edits", error.to_string()).help("POST /reset")
    })?;
    tracing::info!(handles, ?change, "pages were edited");
    Ok(StatusCode::NO_CONTENT)
}
