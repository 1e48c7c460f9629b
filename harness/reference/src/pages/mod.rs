//! Link-in-bio pages: filled from Linktree, cached, shown.

mod cache;
mod fill;
mod freshness;
mod html;
mod route;
mod status;

pub use cache::Pages;
pub use route::show;
pub use status::Source;

/// Whether Linktree could know this handle at all: `[a-z0-9._-]{1,30}`.
pub fn is_handle(text: &str) -> bool {
    (1..=30).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
}
