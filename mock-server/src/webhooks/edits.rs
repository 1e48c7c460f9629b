//! Planned edits become webhooks when they are due: the profile, and each link that reads otherwise.

use super::event::WebhookEvent;
use crate::clock::{Clock, Moment};
use crate::routes::Shared;
use crate::world::handle_matches;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Handles between two rests, so that an edit of everybody does not hold up the sender.
const HANDLES_AT_ONCE: usize = 64;

/// Posts the events of every edit at its time, counted from `armed`.
pub(super) async fn watch(shared: Arc<Shared>, clock: Clock, armed: Moment) {
    let world = &shared.world;
    let mut edits = world.edits().to_vec();
    edits.sort_by_key(|edit| edit.at_ms);
    for edit in edits {
        let due = armed.plus(Duration::from_millis(edit.at_ms));
        tokio::time::sleep_until(clock.instant(due).into()).await;
        let events = [WebhookEvent::ProfileUpdated, WebhookEvent::LinkUpdated];
        if !events.into_iter().any(|event| world.outbox.wants(event)) {
            continue;
        }
        let handles = world.population.handles();
        let theirs = handles.iter().filter(|handle| handle_matches(&edit.handles, handle));
        for (index, handle) in theirs.enumerate() {
            post(&shared, handle, due);
            if index % HANDLES_AT_ONCE == HANDLES_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
        }
    }
}

fn post(shared: &Shared, handle: &str, due: Moment) {
    let world = &shared.world;
    let just_before = due.minus(Duration::from_nanos(1));
    let (Some(old), Some(new)) = (world.creator(handle, just_before), world.creator(handle, due))
    else {
        return;
    };
    let outbox = &world.outbox;
    outbox.post(WebhookEvent::ProfileUpdated, handle, || json!({ "version": new.version }));
    for link in &new.links {
        if old.links.iter().any(|earlier| earlier.id == link.id && earlier != link) {
            outbox.post(
                WebhookEvent::LinkUpdated,
                handle,
                || json!({ "link_id": link.id, "title": link.title, "url": link.url }),
            );
        }
    }
}
