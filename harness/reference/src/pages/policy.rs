//! What the pages decide: who shares a fill, how long a page lives, and when an old one will do.

use crate::linktree::{Failure, Route, VERSION_PREFIX};
use std::time::Duration;

/// One value per decision of the pages.
#[derive(Clone, Copy)]
pub struct PagePolicy {
    /// Which flight a fill joins: its handle, and the key of some flight in the air.
    pub collapse_key: fn(&str, Option<&str>) -> String,
    /// How long an answer is fresh, given its `max-age`.
    pub freshness: fn(Duration) -> Duration,
    /// Whether an expired page may be shown after this failure.
    pub stale_after: fn(&Failure) -> bool,
    /// Prefixes to try in order while the answer is 404; one, in a sane service.
    pub prefixes: fn(Route) -> &'static [&'static str],
}

impl Default for PagePolicy {
    fn default() -> Self {
        Self {
            collapse_key: |handle, _| handle.to_owned(),
            freshness: |max_age| max_age,
            stale_after: |_| true,
            prefixes: |_| &[VERSION_PREFIX],
        }
    }
}
