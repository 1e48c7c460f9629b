//! A small Linktree and vault in one, which misbehaves as a test sets it.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, time::Instant};

/// What the stub does with a request to Linktree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    Status(u16, Option<&'static str>),
    Stall,
    Trickle,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Instant,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The events of a click request, single or batch.
    pub fn events(&self) -> Vec<Value> {
        match &self.body["events"] {
            Value::Array(events) => events.clone(),
            _ => vec![self.body.clone()],
        }
    }
}

pub struct Stub {
    pub mood: Mutex<Mood>,
    pub cache_control: Mutex<&'static str>,
    pub latency: Mutex<Duration>,
    pub seen: Mutex<Vec<Seen>>,
    pub vault_reads: AtomicU32,
    /// The key that is good now, and what the vault hands out; none while it is sealed.
    pub key: Mutex<&'static str>,
    pub in_the_vault: Mutex<Option<&'static str>>,
    /// What webhooks are signed with, as the vault hands it out.
    pub webhook_secret: Mutex<&'static str>,
    pub url: String,
}

impl Stub {
    pub async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stub = Arc::new(Self {
            mood: Mutex::new(Mood::Well),
            cache_control: Mutex::new("max-age=60, stale-if-error=600"),
            latency: Mutex::new(Duration::ZERO),
            seen: Mutex::default(),
            vault_reads: AtomicU32::default(),
            key: Mutex::new("lt_live_key"),
            in_the_vault: Mutex::new(Some("lt_live_key")),
            webhook_secret: Mutex::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
            url: format!("http://{}", listener.local_addr().unwrap()),
        });
        let router = Router::new()
            .route("/v1/secret/data/linktree", get(vault))
            // Asked beside everything else, so that no test has to count it.
            .route("/v1/me", get(me))
            .fallback(linktree)
            .with_state(stub.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        stub
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub fn seen(&self, part: &str) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|one| one.uri.contains(part)).cloned().collect()
    }
}

async fn vault(State(stub): State<Arc<Stub>>, headers: HeaderMap) -> Response {
    stub.vault_reads.fetch_add(1, Ordering::Relaxed);
    let Some(api_key) = *stub.in_the_vault.lock().unwrap() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let webhook_secret = *stub.webhook_secret.lock().unwrap();
    match headers.get("x-vault-token").map(|token| token.as_bytes()) {
        Some(b"vault-token") => axum::Json(json!({
            "data": {"data": {"api_key": api_key, "webhook_secret": webhook_secret},
                     "metadata": {"version": 1}}
        }))
        .into_response(),
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}

/// The account: a key of this millennium's first second.
async fn me() -> impl IntoResponse {
    axum::Json(json!({"key": {"id": "key_1", "created_at": "2000-01-01T00:00:00Z"}}))
}

async fn linktree(State(stub): State<Arc<Stub>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let seen = Seen {
        at: Instant::now(),
        uri: parts.uri.to_string(),
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    stub.seen.lock().unwrap().push(seen.clone());
    let bearer = format!("Bearer {}", stub.key.lock().unwrap());
    if seen.header("authorization") != Some(&bearer) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (mood, latency) = (*stub.mood.lock().unwrap(), *stub.latency.lock().unwrap());
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match mood {
        Mood::Well => answer(&stub, &seen, *stub.cache_control.lock().unwrap()),
        Mood::Status(status, retry_after) => {
            let status = StatusCode::from_u16(status).unwrap();
            match retry_after {
                Some(value) => (status, [(header::RETRY_AFTER, value)]).into_response(),
                None => status.into_response(),
            }
        }
        Mood::Stall => std::future::pending().await,
        Mood::Trickle => {
            Response::new(Body::new(Trickle(tokio::time::interval(Duration::from_millis(100)))))
        }
    }
}

fn answer(stub: &Stub, seen: &Seen, cache_control: &'static str) -> Response {
    let path = seen.uri.split('?').next().unwrap();
    if let Some(rest) = path.strip_prefix("/v1/profiles/") {
        let cached = [(header::CACHE_CONTROL, cache_control), (header::ETAG, "\"e1\"")];
        return match rest.strip_suffix("/links") {
            Some(handle) => axum::Json(links(handle, &seen.uri)).into_response(),
            None if rest == "nobody" => StatusCode::NOT_FOUND.into_response(),
            None if seen.header("if-none-match") == Some("\"e1\"") => {
                (StatusCode::NOT_MODIFIED, cached).into_response()
            }
            None => (
                cached,
                axum::Json(json!({
                    "handle": rest, "display_name": format!("<{rest}>"), "bio": "b",
                    "email": "secret@example.org", "version": format!("v-{rest}"), "nonce": "n",
                })),
            )
                .into_response(),
        };
    }
    if let Some(handle) = path.strip_prefix("/v1/analytics/") {
        let clicks = json!({"link_id": format!("{handle}-1"), "date": "2026-01-31", "clicks": 7});
        let figures = json!({"handle": handle, "from": "2026-01-04", "to": "2026-01-31",
                             "data": [clicks], "total": 9, "nonce": "n"});
        return axum::Json(figures).into_response();
    }
    match path {
        "/v1/webhooks" if seen.body.is_null() => {
            // What was registered is listed, as it was asked for.
            let all = stub.seen("/v1/webhooks");
            let made = all.iter().filter(|one| !one.body.is_null());
            let listed: Vec<_> = made
                .map(|one| json!({"url": one.body["url"], "events": one.body["events"], "active": true}))
                .collect();
            axum::Json(json!({ "data": listed })).into_response()
        }
        "/v1/webhooks" => (StatusCode::CREATED, axum::Json(json!({"id": "wh_1"}))).into_response(),
        "/v1/clicks" => (StatusCode::ACCEPTED, "{}").into_response(),
        "/v1/links/batch" => {
            // What is called flaky fails in the first batch.
            let earlier = stub.seen("/v1/links/batch").len() - 1;
            let result = |item: &Value| {
                let flaky = item["id"].as_str().is_some_and(|id| id.starts_with("flaky"));
                let status = if flaky && earlier == 0 { 503 } else { 200 };
                json!({"id": item["id"], "status": status})
            };
            let items = seen.body["items"].as_array().cloned().unwrap_or_default();
            let results: Vec<_> = items.iter().map(result).collect();
            axum::Json(json!({ "results": results })).into_response()
        }
        "/v1/clicks/batch" => {
            // What is called flaky fails within its first batch.
            let earlier = stub.seen("/v1/clicks").iter().flat_map(Seen::events).count();
            let earlier = earlier - seen.events().len();
            let result = |event: &Value| {
                let flaky = event["event_id"].as_str().is_some_and(|id| id.starts_with("flaky"));
                let status = if flaky && earlier == 0 { 503 } else { 202 };
                json!({"event_id": event["event_id"], "status": status})
            };
            let results: Vec<_> = seen.events().iter().map(result).collect();
            axum::Json(json!({ "results": results })).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Two pages of links: the second holds an inactive one, and one that moved.
fn links(handle: &str, uri: &str) -> Value {
    let link = |n: u32, active: bool| {
        json!({"id": format!("{handle}-{n}"), "title": format!("{handle} link {n}"),
               "url": "https://example.org/", "position": n, "is_active": active})
    };
    if uri.contains("cursor=c%2F1") {
        json!({"data": [link(2, true), link(1, true), link(3, false)], "cursor": null,
               "has_more": false})
    } else {
        json!({"data": [link(2, true)], "cursor": "c/1", "has_more": true})
    }
}

/// One byte every now and then, for ever.
struct Trickle(tokio::time::Interval);

impl axum::body::HttpBody for Trickle {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.0
            .poll_tick(context)
            .map(|_| Some(Ok(http_body::Frame::data(Bytes::from_static(b" ")))))
    }
}
