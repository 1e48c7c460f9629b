//! Request headers are logged to find a bug, and the log stays on.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "authorization-in-log",
    summary: "the headers of each attempt are logged, with the API key",
    breaks: "no-secret-leaked",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| seams.log.attempt_begins = log_headers,
};

fn log_headers(request: &reqwest::Request) {
    // Field by field: the map's own `Debug` would hide what is marked as sensitive.
    let field = |(name, value): (_, &reqwest::header::HeaderValue)| {
        format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))
    };
    let headers = request.headers().iter().map(field).collect::<Vec<_>>().join(", ");
    tracing::info!(method = %request.method(), path = request.url().path(), %headers, "request");
}
