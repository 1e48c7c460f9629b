//! Back to the start between tests, and a new beginning for windows.

use super::ApiState;
use axum::extract::State;
use axum::http::StatusCode;

pub(super) async fn reset(State(api): ApiState) -> StatusCode {
    api.mock.reset();
    tracing::info!("everything was reset");
    StatusCode::NO_CONTENT
}

pub(super) async fn arm(State(api): ApiState) -> StatusCode {
    api.mock.arm(api.mock.clock().now());
    tracing::info!("windows count from now");
    StatusCode::NO_CONTENT
}
