//! `GET /api/analytics/{handle}`: a creator looks at own figures.

use super::App;
use crate::{analytics::Figures, clock, linktree::Failure};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use std::{borrow::Cow, sync::Arc};

/// Who may see which figures.
#[derive(Clone, Copy)]
pub struct AccessPolicy {
    /// Whether the creator of this session, if there is any, may see the figures that the path names.
    pub admits: fn(Option<&str>, &str) -> Result<(), StatusCode>,
    /// Whose figures are shown, given the path's handle and the query.
    pub whose: for<'p> fn(&'p str, Option<&'p str>) -> Cow<'p, str>,
    /// Whether figures that are at hand are shown before anybody asks who asks.
    pub kept_first: bool,
}

impl Default for AccessPolicy {
    fn default() -> Self {
        Self { admits: only_own, whose: |path, _| Cow::Borrowed(path), kept_first: false }
    }
}

/// Everybody own figures, and nobody else's.
pub fn only_own(principal: Option<&str>, handle: &str) -> Result<(), StatusCode> {
    match principal {
        None => Err(StatusCode::UNAUTHORIZED),
        Some(principal) if principal == handle => Ok(()),
        Some(_) => Err(StatusCode::FORBIDDEN),
    }
}

/// Answers with the figures, 401, 403, 404, 502, 503 or 504.
pub async fn show(
    State(app): State<App>,
    Path(handle): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked_at = clock::now();
    let access = app.policy.access;
    let whose = (access.whose)(&handle, uri.query());
    if access.kept_first
        && let Some(figures) = app.analytics.kept(&whose)
    {
        return shown(&figures);
    }
    let principal = app.sessions.principal(&headers);
    if let Err(status) = (access.admits)(principal.as_deref(), &handle) {
        return refused(status);
    }
    match app.analytics.of(&whose, asked_at).await {
        Ok(figures) => shown(&figures),
        Err(failure) => {
            tracing::info!(%failure, "no figures to show");
            failed(&failure)
        }
    }
}

fn shown(figures: &Arc<Figures>) -> Response {
    // Figures are one creator's, and no proxy's to keep.
    ([(header::CACHE_CONTROL, "no-store")], Json(&**figures)).into_response()
}

fn refused(status: StatusCode) -> Response {
    let mut answer = status.into_response();
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    answer
}

fn failed(failure: &Failure) -> Response {
    match failure {
        Failure::Status(404) => StatusCode::NOT_FOUND.into_response(),
        Failure::Timeout => StatusCode::GATEWAY_TIMEOUT.into_response(),
        Failure::Barred(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")]).into_response()
        }
        Failure::Connection | Failure::Status(_) | Failure::Malformed => {
            StatusCode::BAD_GATEWAY.into_response()
        }
    }
}
