//! A creator's links in pages: what `GET /v1/profiles/{handle}/links` and `GET /v1/links` share.

use super::profile::{not_found, updated_at};
use super::{Call, Reply};
use crate::api::bodies::{self, LinkPage, json};
use crate::history::exchange::{CursorIn, Listed};
use crate::world::link::Link;
use crate::world::pagination::{self, Cursor};

/// One page of this creator's links, as the query asks for it.
pub(super) fn listing(call: &Call<'_>, handle: &str) -> Reply {
    let (world, at) = (call.world, call.ticket.t_req);
    let Some(whole) = world.page(handle, at) else { return not_found() };
    let asked = match Asked::read(call, handle) {
        Ok(asked) => asked,
        Err(Refused { status, code, message, cursor_in }) => {
            let refusal = Reply::error(status, code, message);
            return match cursor_in {
                Some(cursor_in) => refusal.with_cursor(cursor_in),
                None => refusal,
            };
        }
    };
    let short = world.profile.pages.short_per_mille;
    let limit = call.limit_override.map_or(asked.limit, |most| asked.limit.min(most));
    let length = pagination::length(world.seed, handle, asked.after, limit, short);
    let page = pagination::page(&whole.creator.links, asked.after, length);
    let cursor = page.next.map(|rank| Cursor { rank, issued: at }.written(world.seed, handle));
    let data = page.links.iter().map(shown).collect();
    let ids = |active: bool| {
        let links = page.links.iter().filter(|link| link.is_active == active);
        links.map(|link| link.id.clone()).collect()
    };
    let listed = Listed {
        ids: ids(true),
        inactive: ids(false),
        has_more: page.next.is_some(),
        cursor_in: asked.cursor_in,
        next: cursor.clone(),
    };
    let body = LinkPage { data, cursor, has_more: page.next.is_some() };
    let mut reply = Reply::json(200, json(body))
        .with_trace(&whole.creator.version, &world.nonce(call.ticket.id));
    reply.listed = Some(Box::new(listed));
    reply
}

/// A link as answers show it.
pub(super) fn shown(link: &Link) -> bodies::Link {
    let Link { id, title, url, position, is_active, updated_s, .. } = link.clone();
    let updated_at = updated_at(updated_s);
    bodies::Link { id, title, url, position, is_active, updated_at }
}

/// The rank behind which the page begins, and how many links it may hold.
struct Asked {
    after: u64,
    limit: usize,
    cursor_in: CursorIn,
}

/// Why there is no page, and what the cursor was worth, if that is why.
struct Refused {
    status: u16,
    code: &'static str,
    message: &'static str,
    cursor_in: Option<CursorIn>,
}

impl Refused {
    const fn bad(message: &'static str) -> Self {
        Self { status: 400, code: "bad_request", message, cursor_in: None }
    }
}

impl Asked {
    fn read(call: &Call<'_>, handle: &str) -> Result<Self, Refused> {
        let world = call.world;
        let pages = &world.profile.pages;
        let (mut after, mut limit, mut cursor_in) = (0, pages.default_limit, CursorIn::None);
        for (name, value) in call.request.url.query_pairs() {
            match name.as_ref() {
                "offset" | "page" => {
                    return Err(Refused::bad("pages are reached by cursor, not by number"));
                }
                // Whoever has no cursor yet may say so with an empty one.
                "cursor" if value.is_empty() => {}
                "cursor" => {
                    let foreign = || Refused {
                        cursor_in: Some(CursorIn::Foreign),
                        ..Refused::bad("the cursor is not valid")
                    };
                    let cursor = Cursor::read(&value, world.seed, handle).ok_or_else(foreign)?;
                    if call.ticket.t_req.since(cursor.issued) > world.cursor_ttl() {
                        return Err(Refused {
                            status: 410,
                            code: "cursor_expired",
                            message: "the cursor has expired; begin with the first page",
                            cursor_in: Some(CursorIn::Expired),
                        });
                    }
                    (after, cursor_in) = (cursor.rank, CursorIn::Fresh);
                }
                "limit" => {
                    let lawful = |limit: &u32| (1..=pages.max_limit).contains(limit);
                    let read = value.parse().ok().filter(lawful);
                    limit = read.ok_or_else(|| Refused::bad("the limit is out of range"))?;
                }
                _ => {}
            }
        }
        Ok(Self { after, limit: limit as usize, cursor_in })
    }
}
