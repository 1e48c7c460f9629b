//! `POST /api/campaigns`: a creator changes hundreds of links; 202 once all of it is on disk.

use super::App;
use crate::campaigns;
use axum::{body::Bytes, extract::State, http::StatusCode};

/// Answers 202, 400 with what is wrong, or 503 when it cannot be kept.
pub async fn launch(State(app): State<App>, body: Bytes) -> (StatusCode, String) {
    let changes = match campaigns::parse(&body) {
        Ok(changes) => changes,
        Err(what) => return (StatusCode::BAD_REQUEST, format!("the {what} is not valid\n")),
    };
    let count = changes.len();
    match app.changes.take(changes).await {
        Ok(()) => {
            app.campaign_arrived.notify_one();
            tracing::info!(count, "a campaign was taken in");
            (StatusCode::ACCEPTED, String::new())
        }
        Err(error) => {
            tracing::error!(%error, "a campaign was turned away");
            (StatusCode::SERVICE_UNAVAILABLE, String::new())
        }
    }
}
