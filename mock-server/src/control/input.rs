//! Reads what a control request carries: a bounded JSON or TOML body, query parameters, and the
//! name in the path.

use super::problem::Problem;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use std::error::Error;
use std::time::Duration;

/// The largest body, bytes: a plan of some thousand rules.
const LARGEST: usize = 1024 * 1024;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A body. An empty one counts as `{}`.
pub(super) struct Input<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_toml = kind.split(';').next().is_some_and(|kind| kind.trim().ends_with("/toml"));
        let body = axum::body::to_bytes(request.into_body(), LARGEST);
        let bytes = tokio::time::timeout(PATIENCE, body)
            .await
            .map_err(|_| {
                let message = format!("the body did not come within {PATIENCE:?}");
                Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", message)
            })?
            .map_err(|_| {
                let message = format!("the body is larger than {LARGEST} bytes, or broke off");
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
            })?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| Problem::not_understood(&format!("the body is not UTF-8: {error}")))?;
        if is_toml {
            toml::from_str(text).map_err(|error| Problem::not_understood(&error.to_string()))
        } else {
            let text = if text.trim().is_empty() { "{}" } else { text };
            serde_json::from_str(text).map_err(|error| Problem::not_understood(&error.to_string()))
        }
        .map(Self)
    }
}

/// Query parameters.
pub(super) struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Self(params)),
            Err(error) => {
                let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
                Err(Problem::not_understood(&format!("in the query: {why}")))
            }
        }
    }
}

/// The name in the path.
pub(super) struct Name(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(error) => Err(Problem::not_understood(&format!("in the path: {error}"))),
        }
    }
}
