//! What a hostile user may have written into every field that is theirs.
//!
//! The strings stand here as the inside of JSON string literals, since some of them (a surrogate
//! without its partner) are lawful JSON and no lawful Unicode. Until the answer becomes bytes, a
//! marker stands in their place.

use super::super::{Body, Reply};
use crate::profile::ContractProfile;
use crate::seed;
use rand::RngExt;
use serde_json::Value;

/// The fields that hold free text, and those that hold addresses.
const TEXTS: [&str; 3] = ["display_name", "bio", "title"];
const ADDRESSES: [&str; 2] = ["avatar_url", "url"];

/// Private-use characters, which no other string of the mock holds.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// Stand for strings that are long.
const LONG: &str = "long";
const STACKED: &str = "stacked";

#[rustfmt::skip]
const HOSTILE_TEXTS: &[&str] = &[
    // Elements and handlers that run script.
    r"<script>alert(1)</script>",
    r"<img src=x onerror=alert(2)>",
    r"<svg onload=alert(3)>",
    r#"\"><script>alert(4)</script>"#,
    r"' autofocus onfocus=alert(5) x='",
    r"</title></textarea></style></script><script>alert(6)</script>",
    r#"<a href=\"javascript:alert(7)\">my page</a>"#,
    r"<iframe srcdoc='<b onclick=alert(8)>'></iframe>",
    r"<scr<script>ipt>alert(9)</scr</script>ipt>",
    r"<!--><i onmouseover=alert(10)>-->",
    r"<template><style></template><b title='</style><i onclick=alert(11)>'>",
    // Entities and escapes that someone may decode once too often.
    r"&lt;script&gt;alert(12)&lt;/script&gt;",
    r"&amp;lt;script&amp;gt;alert(13)&amp;lt;/script&amp;gt;",
    r"\u003cscript\u003ealert(14)\u003c\/script\u003e",
    r"%3Cscript%3Ealert(15)%3C/script%3E",
    r"\uff1cscript\uff1ealert(16)\uff1c/script\uff1e",
    // Other languages that a string may end up in.
    r"{{7*7}} ${7*7} <%= 7*7 %> #{7*7}",
    r"${jndi:ldap://127.0.0.1/a}",
    r"'; DROP TABLE links; --",
    r#"\" OR \"1\"=\"1"#,
    r"$(id) `id` | id ; id",
    r"../../../../etc/passwd",
    r"=HYPERLINK(\u0022http://127.0.0.1/\u0022)",
    r"%s%n%x {0} {name}",
    r"__proto__",
    r"me\r\nSet-Cookie: owner=1",
    r"\u2028alert(17)\u2029",
    // Characters that deceive, vanish or break.
    r"\u202egnp.eliforp\u202c",
    r"\u2067\u2066turned\u2069 inside",
    r"pay\u200bments \u2060\ufeff",
    r"\u0000 and on",
    r"\u0007\u0008\u001b[2J\u007f",
    r"\u0430\u0440\u0440l\u0435",
    r"\ud83d\udc69\u200d\ud83d\udc69\u200d\ud83d\udc67\u200d\ud83d\udc66",
    r"\ud800",
    r"\udc00\ud800 swapped",
    r"\ufffe\uffff",
    r"\u0130\u0131 \u1e9e\u00df \ufb01",
    r"",
    r"   ",
    r"null",
    LONG,
    STACKED,
];

#[rustfmt::skip]
const HOSTILE_ADDRESSES: &[&str] = &[
    r"javascript:alert(1)",
    r"JaVaScRiPt:alert(2)",
    r"java\tscript:alert(3)",
    r"java\nscript:alert(4)",
    r"\u0001javascript:alert(5)",
    r" javascript:alert(6)",
    r"javascript&colon;alert(7)",
    r"javascript://example.com/%0aalert(8)",
    r"data:text/html,<script>alert(9)</script>",
    r"data:text/html;base64,PHNjcmlwdD5hbGVydCgxMCk8L3NjcmlwdD4=",
    r"vbscript:msgbox(11)",
    r"file:///etc/passwd",
    r"//evil.example/",
    r"\\\\evil.example\\share",
    r"https:evil.example",
    r"https://example.com@evil.example/",
    r"https://evil.example\\@example.com/",
    r"https://example.com%2f@evil.example/",
    r"http://127.0.0.1:22/",
    r"http://2130706433/",
    r"http://[::ffff:127.0.0.1]/",
    r"http://169.254.169.254/latest/meta-data/",
    r#"https://example.com/\" onmouseover=\"alert(12)"#,
    r"https://example.com/'><script>alert(13)</script>",
    r"https://example.com/\r\nLocation: https://evil.example/",
    r"https://ex\u0430mple.com/",
    r"https://example.com/\u202etxt.exe",
    r"https://example.com/\ud800",
    r"https://example.com:99999/",
    r"http://",
    r"",
    LONG,
];

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
                key if TEXTS.contains(&key) => ('t', HOSTILE_TEXTS),
                key if ADDRESSES.contains(&key) => ('a', HOSTILE_ADDRESSES),
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

/// A body with markers becomes bytes, with the strings in their place.
pub(super) fn resolve(reply: &mut Reply, profile: &ContractProfile) {
    let marked = matches!(&reply.body, Body::Json(value) if value.to_string().contains(OPEN));
    if marked && let Some((bytes, kind)) = rendered(reply, profile) {
        reply.body = Body::Raw { bytes, kind };
    }
}

/// The bytes of a body and its content type, without markers.
pub(super) fn rendered(
    reply: &Reply,
    profile: &ContractProfile,
) -> Option<(Vec<u8>, Option<String>)> {
    let (bytes, kind) = reply.rendered(profile)?;
    match &reply.body {
        Body::Json(value) => Some((written(value), kind)),
        _ => Some((bytes, kind)),
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
    let list = if field == "t" { HOSTILE_TEXTS } else { HOSTILE_ADDRESSES };
    Some(match *list.get(index.parse::<usize>().ok()?)? {
        LONG => "https://example.com/".to_owned() + &"long".repeat(4_000),
        STACKED => "Z".to_owned() + &"\u{0335}\u{0322}\u{0353}".repeat(300),
        literal => literal.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_string_is_lawful_json_and_only_lone_surrogates_are_no_unicode() {
        for (field, list) in [('t', HOSTILE_TEXTS), ('a', HOSTILE_ADDRESSES)] {
            for index in 0..list.len() {
                let text = format!("\"{}\"", literal(&format!("{field}{index}")).unwrap());
                serde_json::from_str::<&serde_json::value::RawValue>(&text).expect(&text);
                let lone = text.contains("\\ud800");
                assert_eq!(serde_json::from_str::<String>(&text).is_err(), lone, "{text}");
            }
        }
        assert!(literal(&format!("a{}", HOSTILE_ADDRESSES.len() - 1)).unwrap().len() > 10_000);
    }

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
