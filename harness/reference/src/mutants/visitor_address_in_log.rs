//! An access log like any web server's, with the address of whoever clicked.

use super::Mutant;
use axum::http::HeaderMap;
use serde_json::Value;

pub const MUTANT: Mutant = Mutant {
    id: "visitor-address-in-log",
    summary: "each click is logged with its visitor's address",
    breaks: "no-pii-in-logs",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| seams.log.click_accepted = log_access,
};

fn log_access(headers: &HeaderMap, body: &[u8]) {
    let click: Value = serde_json::from_slice(body).unwrap_or_default();
    let forwarded = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let address = forwarded.or(click["visitor"]["ip"].as_str()).unwrap_or("-");
    let event_id = click["event_id"].as_str().unwrap_or("-");
    tracing::info!(%address, event_id, "POST /api/clicks 202");
}
