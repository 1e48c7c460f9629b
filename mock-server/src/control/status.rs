//! Where the mock is, what it serves, and how much has happened. It names no credential.
//!
//! `now` is a moment of the clock that the history is written on, in nanoseconds; `now_ms` is the same
//! moment on the clock of the rules' windows, in milliseconds since the mock was armed.

use super::ApiState;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

pub(super) async fn read(State(api): ApiState) -> Json<Value> {
    let mock = &api.mock;
    let (history, revised) = (mock.history(), mock.revised_rules());
    let (kept, now) = (history.kept(), mock.clock().now());
    Json(json!({
        "url": mock.url(),
        "vault_url": mock.vault_url(),
        "alerts_url": mock.alerts_url(),
        "profile": mock.profile().name,
        "assumed": mock.profile().assumed,
        "seed": mock.seed(),
        "now": now,
        "now_ms": mock.shared.world.ms_since_armed(now),
        "rules": { "count": revised.rules.len(), "revision": revised.revision },
        "exchanges": { "begun": mock.probes(), "under_way": history.under_way() },
        "held": mock.held().len(),
        "clicks_counted": mock.clicks_counted(),
        "history": { "first": kept.start, "next": kept.end, "dropped": history.dropped() },
    }))
}
