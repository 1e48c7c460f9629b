//! Who may read the API from a page of another origin: the front ends that are configured, to the letter.
//!
//! It is around all routes of the API, so that errors pass it too. An answer that depends on the origin says
//! so, or a cache hands it to another origin's page.

use super::App;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Whom the API lets in.
#[derive(Clone, Copy)]
pub struct CorsPolicy {
    /// Whether an origin is one of those that are allowed.
    pub allows: fn(&[String], &str) -> bool,
    /// The same for answers with an error.
    pub allows_on_error: fn(&[String], &str) -> bool,
    /// Whether an answer says that it depends on the origin, given whether that is allowed.
    pub varies: fn(bool) -> bool,
}

impl Default for CorsPolicy {
    fn default() -> Self {
        Self { allows: is_listed, allows_on_error: is_listed, varies: |_| true }
    }
}

/// Origins are equal to the letter or not at all (WHATWG Fetch, 4.9).
fn is_listed(allowed: &[String], origin: &str) -> bool {
    allowed.iter().any(|one| one == origin)
}

/// How long a browser may remember what a preflight said, in seconds.
const REMEMBERED_S: &str = "600";

/// Answers preflights, and says of other answers who may read them.
pub async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    let policy = app.policy.cors;
    let origin = request.headers().get(header::ORIGIN).cloned();
    let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let preflight = request.method() == Method::OPTIONS && origin.is_some() && asks;
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let allows = if failed { policy.allows_on_error } else { policy.allows };
    let allowed = origin
        .filter(|origin| origin.to_str().is_ok_and(|origin| allows(&app.allowed_origins, origin)));
    let headers = response.headers_mut();
    if (policy.varies)(allowed.is_some()) {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if preflight {
            permit(headers);
        }
    }
    response
}

fn permit(headers: &mut HeaderMap) {
    let permits: [(HeaderName, &'static str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, authorization"),
        (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_S),
    ];
    for (name, value) in permits {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
