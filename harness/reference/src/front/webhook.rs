//! `POST /webhooks/linktree`: Linktree tells what has changed; 2xx once that is dealt with or kept.

use super::App;
use crate::webhooks::{Receipt, Refusal};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};

/// Answers 204, 401 for whoever is not Linktree, 400 for what is too old or too new, or 503 when it can
/// neither be dealt with nor kept: then it comes again.
pub async fn take(State(app): State<App>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let receipt = app.webhooks.receive(&headers, &body).await;
    app.metrics.webhook_came(receipt.label());
    match receipt {
        Receipt::Done | Receipt::Ignored | Receipt::Repeated | Receipt::Kept => {
            StatusCode::NO_CONTENT
        }
        Receipt::Refused(Refusal::Stale) => StatusCode::BAD_REQUEST,
        Receipt::Refused(Refusal::Unsigned | Refusal::Signature) => StatusCode::UNAUTHORIZED,
        Receipt::Failed => StatusCode::SERVICE_UNAVAILABLE,
    }
}
