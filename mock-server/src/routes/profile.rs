//! `GET /v1/profiles/{handle}`: one creator, with validators and cache directives.

use super::{Call, Handler, Reply};
use crate::api::bodies::{self, json};
use crate::world::population::Creator;
use wiremock::Request;

pub(super) struct Profile;

impl Handler for Profile {
    fn answer(&self, call: &Call<'_>) -> Reply {
        let Some(creator) = find(call) else { return not_found() };
        let cache = &call.world.profile.cache;
        let max_age_s = cache.max_age_on_the_wire(call.world.time_scale());
        let directives = format!("max-age={max_age_s}, stale-if-error={}", cache.stale_if_error_s);
        let etag = format!("\"{}\"", creator.version);
        let nonce = call.world.nonce(call.ticket.id);
        let reply = if names(call.request, &etag) {
            Reply::empty(304)
        } else {
            Reply::json(200, json(shown(&creator)))
        };
        reply
            .with_trace(&creator.version, &nonce)
            .with_header("etag", &etag)
            .with_header("cache-control", &directives)
    }
}

/// A creator as answers show it.
fn shown(creator: &Creator) -> bodies::Profile {
    bodies::Profile {
        handle: creator.handle.clone(),
        display_name: creator.display_name.clone(),
        bio: creator.bio.clone(),
        avatar_url: creator.avatar_url.clone(),
        email: creator.email.clone(),
        updated_at: updated_at(creator.updated_s),
    }
}

/// The creator that the path names, as of the request's arrival.
fn find(call: &Call<'_>) -> Option<Creator> {
    call.world.creator(call.ticket.handle.as_deref()?, call.ticket.t_req)
}

pub(super) fn not_found() -> Reply {
    Reply::error(404, "not_found", "nobody has this handle")
}

/// A stamp of the calendar of changes as RFC 3339 writes it; that calendar begins with 2026.
pub(super) fn updated_at(updated_s: u64) -> String {
    const EPOCH: i64 = 1_767_225_600; // 2026-01-01T00:00:00Z
    let second = i64::try_from(updated_s).unwrap_or(i64::MAX).saturating_add(EPOCH);
    jiff::Timestamp::from_second(second).unwrap_or_default().to_string()
}

/// Whether `If-None-Match` names this validator, by weak comparison (RFC 9110 section 13.1.2).
fn names(request: &Request, etag: &str) -> bool {
    request
        .headers
        .get_all("if-none-match")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
}
