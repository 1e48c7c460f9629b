//! Edits become webhooks when they are due: the profile, and each link that reads otherwise.

use super::event::WebhookEvent;
use crate::api::ProfileUpdated;
use crate::api::bodies::json;
use crate::clock::{Clock, Moment};
use crate::routes::Shared;
use crate::world::handle_matches;
use crate::world::link::Link;
use std::collections::BTreeMap;
use std::time::Duration;

/// Handles between two rests, so that an edit of everybody does not hold up the sender.
const HANDLES_AT_ONCE: usize = 64;

/// Posts the webhooks of the planned edits at their times, counted from `armed`.
pub(super) async fn watch(shared: &Shared, clock: Clock, armed: Moment) {
    // Edits at the same time are one change of a page.
    let mut times: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for edit in shared.world.edits() {
        times.entry(edit.at_ms).or_default().push(&edit.handles);
    }
    for (at_ms, patterns) in times {
        let due = armed.plus(Duration::from_millis(at_ms));
        announce(shared, clock, due, &patterns).await;
    }
}

/// Waits for an edit of these handles, and posts its events.
pub(super) async fn announce(shared: &Shared, clock: Clock, due: Moment, patterns: &[&str]) {
    let world = &shared.world;
    tokio::time::sleep_until(clock.instant(due).into()).await;
    let events = [WebhookEvent::ProfileUpdated, WebhookEvent::LinkUpdated];
    if !events.into_iter().any(|event| world.webhooks.wants(event)) {
        return;
    }
    let is_theirs = |handle: &&String| patterns.iter().any(|one| handle_matches(one, handle));
    for (index, handle) in world.population.handles().iter().filter(is_theirs).enumerate() {
        post(shared, handle, due);
        if index % HANDLES_AT_ONCE == HANDLES_AT_ONCE - 1 {
            tokio::task::yield_now().await;
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
    // An edit that was forgotten meanwhile, by a reset, is none.
    if old.version == new.version {
        return;
    }
    let version = || json(ProfileUpdated { version: new.version.clone() });
    world.webhooks.post(WebhookEvent::ProfileUpdated, handle, version);
    for link in &new.links {
        if old.links.iter().any(|earlier| earlier.id == link.id && shown(earlier) != shown(link)) {
            world.webhooks.link_updated(handle, link);
        }
    }
}

/// What a visitor can see of a link.
fn shown(link: &Link) -> (&str, &str, u32, bool) {
    (&link.title, &link.url, link.position, link.is_active)
}
