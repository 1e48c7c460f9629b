//! `GET /v1/profiles/{handle}`: one creator, with validators and cache directives.

use super::rewrite::rendered;
use super::{Body, Call, Handler, Reply};
use crate::api::bodies::{self, json};
use crate::world::Page;
use crate::world::population::Creator;
use std::sync::Arc;
use wiremock::Request;

pub(super) struct Profile;

impl Handler for Profile {
    fn answer(&self, call: &Call<'_>) -> Reply {
        let Some(page) = find(call) else { return not_found() };
        let version = &page.creator.version;
        let cache = &call.world.profile.cache;
        let max_age_s = cache.max_age_on_the_wire(call.world.time_scale());
        let directives = format!("max-age={max_age_s}, stale-if-error={}", cache.stale_if_error_s);
        let etag = ["\"", version, "\""].concat();
        let nonce = call.world.nonce(call.ticket.id);
        let reply = if names(call.request, &etag) {
            Reply::empty(304).with_trace(version, &nonce)
        } else {
            fresh(call, &page, nonce)
        };
        reply.with_header("etag", etag).with_header("cache-control", directives)
    }
}

/// The page, for whoever does not have it.
fn fresh(call: &Call<'_>, page: &Page, nonce: String) -> Reply {
    let version = &page.creator.version;
    let anew =
        |nonce: &str| Reply::json(200, json(shown(&page.creator))).with_trace(version, nonce);
    if call.rewriting.changes_something() {
        return anew(&nonce);
    }
    let profile = &call.world.profile;
    let parts = page.rendered.get_or_init(|| halves(&rendered(anew(STAND_IN), profile)?));
    let Some([before, after]) = parts else { return anew(&nonce) };
    Reply {
        body: Body::Raw {
            bytes: [before, nonce.as_bytes(), after].concat(),
            kind: Some("application/json".to_owned()),
        },
        version: Some(version.clone()),
        nonce: Some(nonce),
        ..Reply::empty(200)
    }
}

/// In place of a nonce: of private use, so that no page holds it.
const STAND_IN: &str = "\u{e002}";

/// What stands before and after the stand-in; none unless there is one.
fn halves(body: &[u8]) -> Option<[Vec<u8>; 2]> {
    let mut places = memchr::memmem::find_iter(body, STAND_IN);
    let (Some(at), None) = (places.next(), places.next()) else { return None };
    Some([body[..at].to_vec(), body[at + STAND_IN.len()..].to_vec()])
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
fn find(call: &Call<'_>) -> Option<Arc<Page>> {
    call.world.page(call.ticket.handle.as_deref()?, call.ticket.t_req)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_where_its_nonce_stands_and_nowhere_else() {
        let check = |body: &str, expected: Option<[&str; 2]>| {
            let expected = expected.map(|halves| halves.map(|half| half.as_bytes().to_vec()));
            assert_eq!(halves(body.as_bytes()), expected, "{body}");
        };
        check("{\"nonce\":\"\u{e002}\"}", Some(["{\"nonce\":\"", "\"}"]));
        check("{}", None);
        check("\u{e002}\u{e002}", None);
    }
}
