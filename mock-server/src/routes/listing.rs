//! A creator's links in pages: what `GET /v1/profiles/{handle}/links` and `GET /v1/links` share.

use super::profile::{not_found, updated_at};
use super::{Call, Reply};
use crate::world::link::Link;
use crate::world::pagination::{self, Cursor};
use serde_json::{Value, json};

/// One page of this creator's links, as the query asks for it.
pub(super) fn listing(call: &Call<'_>, handle: &str) -> Reply {
    let (world, at) = (call.world, call.ticket.t_req);
    let Some(creator) = world.creator(handle, at) else { return not_found() };
    let asked = match Asked::read(call, handle) {
        Ok(asked) => asked,
        Err((status, code, message)) => return Reply::error(status, code, message),
    };
    let short = world.profile.pages.short_per_mille;
    let limit = call.limit_override.map_or(asked.limit, |most| asked.limit.min(most));
    let length = pagination::length(world.seed, handle, asked.after, limit, short);
    let page = pagination::page(&creator.links, asked.after, length);
    let cursor = page.next.map(|rank| Cursor { rank, issued: at }.written(world.seed, handle));
    let data: Vec<_> = page.links.iter().map(shown).collect();
    Reply::json(200, json!({ "data": data, "cursor": cursor, "has_more": page.next.is_some() }))
        .with_trace(&creator.version, &world.nonce(call.ticket.id))
}

/// A link as answers show it.
pub(super) fn shown(link: &Link) -> Value {
    json!({
        "id": link.id,
        "title": link.title,
        "url": link.url,
        "position": link.position,
        "is_active": link.is_active,
        "updated_at": updated_at(link.updated_s),
    })
}

/// The rank behind which the page begins, and how many links it may hold.
struct Asked {
    after: u64,
    limit: usize,
}

impl Asked {
    fn read(call: &Call<'_>, handle: &str) -> Result<Self, (u16, &'static str, &'static str)> {
        let bad = |message| (400, "bad_request", message);
        let world = call.world;
        let pages = &world.profile.pages;
        let (mut after, mut limit) = (0, pages.default_limit);
        for (name, value) in call.request.url.query_pairs() {
            match name.as_ref() {
                "offset" | "page" => {
                    return Err(bad("pages are reached by cursor, not by number"));
                }
                // Whoever has no cursor yet may say so with an empty one.
                "cursor" if value.is_empty() => {}
                "cursor" => {
                    let cursor = Cursor::read(&value, world.seed, handle)
                        .ok_or_else(|| bad("the cursor is not valid"))?;
                    if call.ticket.t_req.since(cursor.issued) > world.cursor_ttl() {
                        let message = "the cursor has expired; begin with the first page";
                        return Err((410, "cursor_expired", message));
                    }
                    after = cursor.rank;
                }
                "limit" => {
                    let lawful = |limit: &u32| (1..=pages.max_limit).contains(limit);
                    let read = value.parse().ok().filter(lawful);
                    limit = read.ok_or_else(|| bad("the limit is out of range"))?;
                }
                _ => {}
            }
        }
        Ok(Self { after, limit: limit as usize })
    }
}
