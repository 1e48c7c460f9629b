//! Every endpoint, once: the router and the index that clients read both come from this list.

use super::guard::Guard;
use super::problem::Problem;
use super::{Api, ApiResult, history, holds, keys, plan, reset, status, webhooks, world};
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post, put};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};
use std::future::{Ready, ready};
use std::sync::Arc;

/// One thing that the control API can be asked.
#[derive(Clone, Copy, Serialize)]
pub struct Endpoint {
    /// The method.
    pub method: &'static str,
    /// The path; `{…}` stands for one part of it.
    pub path: &'static str,
    /// What it does, with its parameters.
    pub what: &'static str,
    #[serde(skip)]
    route: fn() -> MethodRouter<Arc<Api>>,
}

macro_rules! endpoints {
    ($($method:ident $path:literal $handler:path, $what:literal;)*) => {
        /// Every endpoint, in reading order.
        pub const ENDPOINTS: &[Endpoint] = &[$(Endpoint {
            method: stringify!($method),
            path: $path,
            what: $what,
            route: || endpoints!(@ $method)($handler),
        }),*];
    };
    (@ GET) => { get };
    (@ PUT) => { put };
    (@ POST) => { post };
    (@ DELETE) => { delete };
}

endpoints! {
    GET "/" index, "this list";
    GET "/status" status::read, "addresses, contract, seed, how much has happened, and now_ms as rules' windows count it";
    GET "/plan" plan::read, "the rules in force, {\"rules\":[…]}, with an ETag";
    PUT "/plan" plan::replace, "other rules, all at once; ordinals start anew; obeys If-Match";
    POST "/plan/rules" plan::add, "one more rule, after the others, which go on counting; obeys If-Match";
    GET "/plan/rules/{id}" plan::one, "one rule";
    DELETE "/plan/rules/{id}" plan::remove, "takes one rule out; the others go on counting; obeys If-Match";
    POST "/arm" reset::arm, "windows of rules and the plan's events count from now";
    GET "/holds" holds::list, "answers that the fault hold holds back";
    POST "/holds/release" holds::release_all, "releases all of them";
    POST "/holds/{rule}/release" holds::release, "releases those of one rule";
    POST "/keys" keys::issue, "one more key: {\"environment\":\"live\",\"account\":HANDLE,\"scopes\":[…],\"age_s\":0}, all optional";
    POST "/keys/rotate" keys::rotate, "a new API key, in the vault at once: {\"overlap_ms\"} is how long the old one works on";
    POST "/webhook-secret/rotate" keys::rotate_secret, "a new webhook secret; both sign during {\"overlap_ms\"}";
    GET "/webhooks" webhooks::list, "who is registered for webhooks";
    POST "/webhooks" webhooks::register, "registers an address on this machine: {\"url\",\"events\":[\"link.clicked\"]}";
    DELETE "/webhooks/{id}" webhooks::remove, "takes a registration out";
    POST "/webhooks/send" webhooks::send, "sends a webhook now: {\"event\",\"handle\",\"data\":{…}}; how it went is in the history";
    GET "/history" history::read, "records as NDJSON: ?from=SEQ, ?follow=true, ?event=exchange,alert";
    DELETE "/history" history::clear, "forgets the records kept";
    POST "/reset" reset::reset, "back to the start, for the next test: rules, holds, clicks, links, limits, keys, history";
    GET "/creators" world::list, "who has an account: ?prefix=, ?after=HANDLE, ?limit=";
    POST "/world" world::happen, "lets an event of the world happen now, as a plan would: {\"kind\":\"edit\",\"handles\":\"creator-*\",\"change\":{\"kind\":\"insert\",\"count\":1}}";
    GET "/creators/{handle}" world::one, "one creator as of now, with links";
}

/// Not an `async fn`: the type of its future would depend on the list, and the list on it.
fn index() -> Ready<Json<Value>> {
    ready(Json(json!({ "name": "windthrow mock control", "endpoints": ENDPOINTS })))
}

/// The router over all endpoints, behind the guard.
pub(super) fn router(api: Arc<Api>, guard: Guard) -> Router {
    let all = |router: Router<Arc<Api>>, endpoint: &Endpoint| {
        router.route(endpoint.path, (endpoint.route)())
    };
    ENDPOINTS
        .iter()
        .fold(Router::new(), all)
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_so)
        .layer(from_fn_with_state(Arc::new(guard), super::guard::check))
        .with_state(api)
}

async fn nothing_here(uri: Uri) -> ApiResult<()> {
    let paths = ENDPOINTS.iter().map(|endpoint| endpoint.path);
    let near = crate::nearest::nearest(uri.path(), paths);
    let help = near.map(|near| format!("did you mean {near}? "));
    Err(Problem::new(StatusCode::NOT_FOUND, "no_such_endpoint", format!("no {}", uri.path()))
        .help(help.unwrap_or_default() + "GET / names every endpoint"))
}

async fn not_so(State(_): State<Arc<Api>>, method: Method, uri: Uri) -> ApiResult<()> {
    let what = format!("{method} is not possible for {}", uri.path());
    Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", what)
        .help("GET / names every endpoint with its method"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn endpoints_are_listed_once_and_explained() {
        let unique: BTreeSet<_> = ENDPOINTS.iter().map(|one| (one.method, one.path)).collect();
        assert_eq!(unique.len(), ENDPOINTS.len());
        assert!(ENDPOINTS.iter().all(|one| !one.what.is_empty() && one.path.starts_with('/')));
    }
}
