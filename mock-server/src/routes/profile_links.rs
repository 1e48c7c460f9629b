//! `GET /v1/profiles/{handle}/links`: a creator's links in pages, with opaque cursors.

use super::profile::{find, not_found, updated_at};
use super::{Answers, Call, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

pub(super) struct ProfileLinks;

impl Answers for ProfileLinks {
    fn scope(&self) -> Option<&'static str> {
        Some("links:read")
    }

    fn answer(&self, call: &Call<'_>) -> Reply {
        let Some(creator) = find(call) else { return not_found() };
        let (start, limit) = match page(call, &creator.handle) {
            Ok(page) => page,
            Err(message) => return Reply::error(400, "bad_request", message),
        };
        let total = creator.links.len();
        let start = start.min(total);
        let end = start.saturating_add(limit).min(total);
        let stamp = updated_at(creator.edit);
        let data: Vec<_> = creator.links[start..end]
            .iter()
            .map(|link| {
                json!({
                    "id": link.id,
                    "title": link.title,
                    "url": link.url,
                    "position": link.position,
                    "is_active": link.is_active,
                    "updated_at": stamp,
                })
            })
            .collect();
        let has_more = end < total;
        let next = has_more.then(|| cursor(&creator.handle, end));
        Reply::json(200, json!({ "data": data, "cursor": next, "has_more": has_more }))
            .with_trace(&creator.version, &call.world.nonce(call.ticket.id))
    }
}

/// First link and number of links that the query asks for.
fn page(call: &Call<'_>, handle: &str) -> Result<(usize, usize), &'static str> {
    let pages = &call.world.profile.pages;
    let (mut start, mut limit) = (0, pages.default_limit);
    for (name, value) in call.request.url.query_pairs() {
        match name.as_ref() {
            "offset" | "page" => return Err("pages are reached by cursor, not by number"),
            "cursor" => start = read_cursor(&value, handle).ok_or("the cursor is not valid")?,
            "limit" => {
                limit = value
                    .parse()
                    .ok()
                    .filter(|n| (1..=pages.max_limit).contains(n))
                    .ok_or("the limit is out of range")?;
            }
            _ => {}
        }
    }
    Ok((start, limit as usize))
}

fn cursor(handle: &str, next: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{next}:{handle}"))
}

fn read_cursor(cursor: &str, handle: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (next, owner) = text.split_once(':')?;
    (owner == handle).then(|| next.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_one_creator() {
        assert_eq!(read_cursor(&cursor("a-0001", 40), "a-0001"), Some(40));
        assert_eq!(read_cursor(&cursor("a-0001", 40), "a-0002"), None);
        assert_eq!(read_cursor("40", "a-0001"), None);
        assert_eq!(read_cursor("", "a-0001"), None);
    }
}
