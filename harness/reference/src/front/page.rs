//! `GET /{handle}`: a visitor opens a page.

use super::App;
use crate::{
    clock,
    linktree::is_handle,
    pages::{self, Reading},
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};

/// Answers with the page, 404, or 503 with `Retry-After`.
pub async fn show(
    State(app): State<App>,
    Path(handle): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    (app.log.page_asked)(&uri, &headers);
    if !is_handle(&handle) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let asked_at = clock::now();
    match app.pages.read(&handle, uri.query()).await {
        Reading::Page(page, source) => {
            app.metrics.page_served(&source, asked_at.elapsed());
            let (now, life) = (clock::now(), &page.freshness);
            let mut headers = HeaderMap::new();
            let mut put = |name: &'static str, value: String| {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    headers.insert(name, value);
                }
            };
            put("x-profile-version", page.version.clone());
            put("cache-status", pages::cache_status(&source, life, now));
            put("age", life.age(now).to_string());
            put("content-security-policy", "default-src 'none'".to_owned());
            put("x-content-type-options", "nosniff".to_owned());
            (headers, Html(pages::render(&page, &app.policy.html))).into_response()
        }
        Reading::Missing => {
            (app.policy.refused)("handle", &app.upstream);
            StatusCode::NOT_FOUND.into_response()
        }
        Reading::Unavailable(failure) => {
            app.metrics.page_missed();
            tracing::info!(%failure, "no page to show");
            let text = (app.policy.error_page)(&failure, &app.upstream);
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], text).into_response()
        }
    }
}
