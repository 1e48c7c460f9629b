//! Creators want to know how often their page is opened, and there is a route that counts.

use super::Mutant;
use crate::{
    clicks::{Click, wire},
    clock,
    pages::Aside,
    upstream::Upstream,
};
use jiff::Timestamp;
use std::time::UNIX_EPOCH;

pub const MUTANT: Mutant = Mutant {
    id: "views-sent-as-clicks",
    summary: "a page that is read from Linktree is counted there as a click on its first link",
    breaks: "least-scope",
    may_also_break: &["clicks-delivered"],
    shown_by: "feature-tour",
    apply: |seams| seams.pages.filled = counted,
};

fn counted<'a>(upstream: &'a Upstream, handle: &'a str) -> Aside<'a> {
    Box::pin(async move {
        let at = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        let event_id = format!("view-{handle}-{}", at.as_micros());
        let view = Click {
            event_id: event_id.clone(),
            handle: handle.to_owned(),
            link_id: format!("{handle}-l1"),
            occurred_at: Timestamp::try_from(clock::wall()).unwrap_or_default().to_string(),
        };
        let _ = upstream.attempt(&wire::call(&[&view], Some(event_id)), 1).await;
    })
}
