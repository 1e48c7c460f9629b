//! What a hostile user may have written into every field that is theirs.
//!
//! Until the answer becomes bytes, a marker stands in the place of each string: some of them are lawful JSON
//! and no lawful Unicode.

use super::super::{Body, Reply};
use crate::profile::ContractProfile;
use crate::seed;
use crate::world::hostile::literals;
use rand::RngExt;
use serde_json::Value;

/// The fields that hold free text, and those that hold addresses.
const TEXTS: [&str; 3] = ["display_name", "bio", "title"];
const ADDRESSES: [&str; 2] = ["avatar_url", "url"];

/// Private-use characters, which no other string of the mock holds.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// Puts a marker of a hostile string into every field of a user; false when there is none.
pub(super) fn replace(reply: &mut Reply, seed: u64) -> bool {
    match &mut reply.body {
        Body::Json(value) => walk(value, seed, ""),
        _ => false,
    }
}

fn walk(value: &mut Value, seed: u64, path: &str) -> bool {
    match value {
        Value::Object(members) => members.iter_mut().fold(false, |found, (key, value)| {
            let path = format!("{path}/{key}");
            let (field, list) = match key.as_str() {
                key if TEXTS.contains(&key) => ('t', literals::TEXTS),
                key if ADDRESSES.contains(&key) => ('a', literals::ADDRESSES),
                _ => return walk(value, seed, &path) || found,
            };
            if !value.is_string() {
                return found;
            }
            let index = seed::stream(seed, &["hostile", &path]).random_range(0..list.len());
            *value = Value::String(format!("{OPEN}{field}{index}{CLOSE}"));
            true
        }),
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .fold(false, |found, (at, item)| walk(item, seed, &format!("{path}/{at}")) || found),
        _ => false,
    }
}

/// A JSON body becomes bytes, with the strings in the place of their markers.
pub(super) fn resolve(reply: &mut Reply, profile: &ContractProfile) {
    if let Body::Json(_) = &reply.body
        && let Some((bytes, kind)) = rendered(reply, profile)
    {
        reply.body = Body::Raw { bytes, kind };
    }
}

/// The bytes of a body and its content type, without markers.
pub(super) fn rendered(
    reply: &Reply,
    profile: &ContractProfile,
) -> Option<(Vec<u8>, Option<String>)> {
    match &reply.body {
        Body::Json(value) => Some((written(value), Some("application/json".to_owned()))),
        _ => reply.rendered(profile),
    }
}

/// A value as bytes, without markers.
pub(super) fn written(value: &Value) -> Vec<u8> {
    let text = value.to_string();
    let mut pieces = text.split(OPEN);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once(CLOSE).unwrap_or((piece, ""));
        out.push_str(&literal(name).unwrap_or_default());
        out.push_str(rest);
    }
    out.into_bytes()
}

fn literal(name: &str) -> Option<String> {
    let (field, index) = name.split_at_checked(1)?;
    let list = if field == "t" { literals::TEXTS } else { literals::ADDRESSES };
    literals::literal(list, index.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_field_of_a_user_is_replaced_however_deep_and_no_other() {
        let body = json!({
            "handle": "ann", "display_name": "Ann", "bio": "b", "avatar_url": "a", "version": "v",
            "data": [{ "id": "l1", "title": "t", "url": "u" }, { "id": "l2", "title": "t", "url": "u" }],
        });
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..40 {
            let mut reply = Reply::json(200, body.clone());
            assert!(replace(&mut reply, seed));
            resolve(&mut reply, &ContractProfile::linktree_v1());
            let Body::Raw { bytes, .. } = reply.body else { panic!("it was not resolved") };
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains([OPEN, CLOSE]), "{text}");
            for kept in ["\"handle\":\"ann\"", "\"version\":\"v\"", "\"id\":\"l2\""] {
                assert!(text.contains(kept), "{text}");
            }
            for gone in ["\"Ann\"", "\"bio\":\"b\"", ":\"a\"", ":\"t\"", ":\"u\""] {
                assert!(!text.contains(gone), "{text}");
            }
            seen.insert(text);
        }
        assert_eq!(seen.len(), 40, "each request has strings of its own");
    }

    #[test]
    fn without_a_field_of_a_user_there_is_nothing_to_replace() {
        let mut reply = Reply::json(200, json!({ "status": "ok", "title": 7 }));
        assert!(!replace(&mut reply, 1));
        assert!(!replace(&mut Reply::error(404, "not_found", "nobody"), 1));
    }
}
