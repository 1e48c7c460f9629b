//! What the pages decide: who shares a fill, how long a page lives, and when an old one will do.

use super::fill::Link;
use crate::{
    linktree::{Failure, Route, VERSION_PREFIX},
    upstream::Upstream,
};
use std::{future::Future, pin::Pin, time::Duration};

/// What is done beside the answer to a visitor.
pub type Aside<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One value per decision of the pages.
#[derive(Clone, Copy)]
pub struct PagePolicy {
    /// Where a page is kept: its handle, and the query of the visitor's address.
    pub cache_key: fn(&str, Option<&str>) -> String,
    /// How many pages are kept, given the configured number.
    pub capacity: fn(usize) -> usize,
    /// Which flight a fill joins: where its page is kept, and the key of some flight in the air.
    pub collapse_key: fn(&str, Option<&str>) -> String,
    /// Whether a fill in the air is joined, given whether the page is known, and how long it has been there.
    pub joins: fn(bool, Duration) -> bool,
    /// The most fills at once, if there is a bound of their own.
    pub fills_at_once: Option<usize>,
    /// The most visitors of pages at once, if there is a bound: a worker for each, for as long as it takes.
    pub workers: Option<usize>,
    /// Whether what is kept is let go when the breaker has closed again.
    pub forgets_on_recovery: bool,
    /// Calls that are set aside in the limiter before a page is asked for, given whether it is known.
    pub calls: fn(bool) -> usize,
    /// How long an answer is fresh, given its `max-age`.
    pub freshness: fn(Duration) -> Duration,
    /// How long a visitor waits for a newer page while an expired one is at hand, given what is
    /// configured.
    pub revalidation_wait: fn(Duration) -> Duration,
    /// Whether an expired page may be shown after this failure.
    pub stale_after: fn(&Failure) -> bool,
    /// How the next part of a list is asked for, given the cursor that was handed out for it, and how many
    /// links were read.
    pub next_part: fn(String, usize) -> (&'static str, String),
    /// Whether a part is the last, given whether it says that there are more, and how many links it holds.
    pub is_last: fn(bool, usize) -> bool,
    /// What becomes of what was read when a cursor has expired.
    pub begin_anew: fn(&mut Vec<Link>),
    /// The most parts of a list of links that are asked for.
    pub link_parts: usize,
    /// What becomes of links of which there are more parts than that.
    pub without_end: fn(Vec<Link>) -> Result<Vec<Link>, Failure>,
    /// What becomes of the links of a page.
    pub links: fn(Vec<Link>) -> Result<Vec<Link>, Failure>,
    /// Prefixes to try in order while the answer is 404; one, in a sane service.
    pub prefixes: fn(Route) -> &'static [&'static str],
    /// What is done once Linktree was asked for the page of a handle: nothing, as a read is a read.
    pub filled: for<'a> fn(&'a Upstream, &'a str) -> Aside<'a>,
}

impl Default for PagePolicy {
    fn default() -> Self {
        Self {
            // Campaigns change nothing in a page.
            cache_key: |handle, _| handle.to_owned(),
            capacity: |configured| configured,
            collapse_key: |key, _| key.to_owned(),
            joins: |_, _| true,
            fills_at_once: None,
            workers: None,
            forgets_on_recovery: false,
            // A known page is most likely vouched for; of a new one a profile alone shows nothing.
            calls: |known| if known { 1 } else { 2 },
            freshness: |max_age| max_age,
            revalidation_wait: |configured| configured,
            stale_after: |_| true,
            next_part: |cursor, _| ("cursor", cursor),
            is_last: |has_more, _| !has_more,
            begin_anew: Vec::clear,
            // Links come in parts; a cursor that never ends must not fill the memory.
            link_parts: 50,
            without_end: |_| Err(Failure::Malformed),
            links: Ok,
            prefixes: |_| &[VERSION_PREFIX],
            filled: |_, _| Box::pin(std::future::ready(())),
        }
    }
}
