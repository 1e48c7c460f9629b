//! `POST /api/clicks`: a visitor clicks; 202 once the click is on disk.

use super::App;
use crate::clicks::Click;
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};

/// Answers 202, 400 with the wrong field, or 503 when the queue cannot take it.
pub async fn accept(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let click = match Click::parse(&body) {
        Ok(click) => click,
        Err(field) => {
            (app.log.click_refused)(field, &headers, &body);
            (app.policy.refused)("click", &app.upstream);
            return (StatusCode::BAD_REQUEST, format!("{field} is not valid\n"));
        }
    };
    match app.clicks.enqueue(click).await {
        Ok(()) => {
            app.clicks_arrived.notify_one();
            (app.log.click_accepted)(&headers, &body);
            (StatusCode::ACCEPTED, String::new())
        }
        Err(error) => {
            tracing::error!(%error, "a click was turned away");
            (StatusCode::SERVICE_UNAVAILABLE, String::new())
        }
    }
}
