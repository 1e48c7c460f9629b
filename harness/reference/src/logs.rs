//! What the log says of pages, clicks and attempts: which, never whose, and never with which key.

use axum::http::{HeaderMap, Uri};

/// What is logged, given all that is known in the place where it is.
#[derive(Clone, Copy)]
pub struct LogPolicy {
    /// A page was wholly filled: its handle, its version, and the profile as it came.
    pub page_filled: fn(&str, &str, &[u8]),
    /// A click is safe: the header fields and the body in which it came.
    pub click_accepted: fn(&HeaderMap, &[u8]),
    /// A click was refused: which of its fields is wrong, and how it came.
    pub click_refused: fn(&'static str, &HeaderMap, &[u8]),
    /// A page is asked for: its address with the query, and the header fields.
    pub page_asked: fn(&Uri, &HeaderMap),
    /// A request is about to be sent.
    pub attempt_begins: fn(&reqwest::Request),
}

impl Default for LogPolicy {
    fn default() -> Self {
        Self {
            page_filled: |handle, version, _| tracing::info!(%handle, version, "page filled"),
            // Both are counted, and each failure has its own line.
            click_accepted: |_, _| {},
            // What was wrong, and never what stood there.
            click_refused: |field, _, _| tracing::info!(field, "a click was refused"),
            page_asked: |_, _| {},
            attempt_begins: |_| {},
        }
    }
}
