//! JSON that is not what was promised, in bytes.

use super::super::{Body, Reply};
use super::hostile;
use crate::faults::JsonFlaw;
use crate::profile::ContractProfile;
use serde_json::{Map, Value, json};

/// Deeper than any parser's stack allows by default.
const DEPTH: usize = 10_000;

/// Spoils the body; false when there is no JSON in it.
pub(super) fn spoil(
    reply: &mut Reply,
    profile: &ContractProfile,
    flaw: JsonFlaw,
    percent: u8,
) -> bool {
    let value = match &reply.body {
        Body::Json(value) => Some(value.clone()),
        _ => None,
    };
    let Some((mut bytes, kind)) = hostile::rendered(reply, profile) else { return false };
    let Some(begin) = bytes.iter().position(|byte| *byte == b'{') else { return false };
    if !bytes[..begin].is_empty() && bytes[..begin] != *BOM {
        return false;
    }
    let inside = begin + 1;
    let value = value.or_else(|| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    match flaw {
        JsonFlaw::Cut => bytes.truncate(bytes.len() * usize::from(percent.min(99)) / 100),
        JsonFlaw::TrailingGarbage => bytes.extend_from_slice(b"}\n{\"and\":\"more\"}"),
        JsonFlaw::WrongTypes => bytes = hostile::written(&other_types(&value)),
        JsonFlaw::Bom => drop(bytes.splice(0..0, BOM.iter().copied())),
        JsonFlaw::Nan => insert(&mut bytes, inside, b"\"ratio\":NaN"),
        JsonFlaw::DuplicateKeys => {
            let object = value.as_object().cloned().unwrap_or_default();
            let nulls: Map<_, _> = object.keys().map(|key| (key.clone(), Value::Null)).collect();
            let again = Value::Object(nulls).to_string();
            let end = bytes.len() - 1;
            bytes.splice(end.., [b","[..].to_vec(), again.into_bytes()[1..].to_vec()].concat());
        }
        JsonFlaw::DeepNesting => {
            let deep = format!("\"extra\":{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
            insert(&mut bytes, inside, deep.as_bytes());
        }
        JsonFlaw::Empty => {
            bytes.clear();
            (reply.version, reply.nonce) = (None, None);
        }
        // A byte that begins a sequence, and one that cannot go on with it.
        JsonFlaw::InvalidUtf8 => insert(&mut bytes, inside, b"\"note\":\"\xc3\x28\""),
    }
    reply.body = Body::Raw { bytes, kind };
    true
}

const BOM: &[u8; 3] = b"\xef\xbb\xbf";

/// Puts a member before all others of an object.
fn insert(bytes: &mut Vec<u8>, at: usize, member: &[u8]) {
    let comma: &[u8] = if bytes.get(at) == Some(&b'}') { b"" } else { b"," };
    bytes.splice(at..at, [member, comma].concat());
}

/// The same shape with every type exchanged; the outermost object stays one.
fn other_types(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), other(value))).collect()
        }
        other_value => other(other_value),
    }
}

fn other(value: &Value) -> Value {
    match value {
        Value::Null => json!(0),
        Value::Bool(flag) => json!(if *flag { "yes" } else { "no" }),
        Value::Number(number) => json!(number.to_string()),
        Value::String(text) => json!(text.len()),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, item)| (at.to_string(), other_types(item))).collect()
        }
        Value::Object(members) => members.values().map(other).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoiled(flaw: JsonFlaw) -> Vec<u8> {
        let mut reply = Reply::json(200, json!({ "a": 1, "b": ["x", true], "c": null }));
        let profile = ContractProfile::linktree_v1();
        assert!(spoil(&mut reply, &profile, flaw, 50), "{flaw:?}");
        let Body::Raw { bytes, kind } = reply.body else { panic!("{flaw:?}") };
        assert_eq!(kind.as_deref(), Some("application/json"));
        bytes
    }

    fn check(flaw: JsonFlaw, expected: &[u8]) {
        assert_eq!(spoiled(flaw), expected, "{}", String::from_utf8_lossy(&spoiled(flaw)));
    }

    #[test]
    fn each_flaw_has_its_own_bytes() {
        check(JsonFlaw::Cut, b"{\"a\":1,\"b\":[\"x\"");
        check(
            JsonFlaw::TrailingGarbage,
            b"{\"a\":1,\"b\":[\"x\",true],\"c\":null}}\n{\"and\":\"more\"}",
        );
        check(JsonFlaw::WrongTypes, b"{\"a\":\"1\",\"b\":{\"0\":1,\"1\":\"yes\"},\"c\":0}");
        check(JsonFlaw::Bom, b"\xef\xbb\xbf{\"a\":1,\"b\":[\"x\",true],\"c\":null}");
        check(JsonFlaw::Nan, b"{\"ratio\":NaN,\"a\":1,\"b\":[\"x\",true],\"c\":null}");
        check(
            JsonFlaw::DuplicateKeys,
            b"{\"a\":1,\"b\":[\"x\",true],\"c\":null,\"a\":null,\"b\":null,\"c\":null}",
        );
        check(JsonFlaw::Empty, b"");
        check(
            JsonFlaw::InvalidUtf8,
            b"{\"note\":\"\xc3\x28\",\"a\":1,\"b\":[\"x\",true],\"c\":null}",
        );
    }

    #[test]
    fn strict_parsers_refuse_all_but_wrong_types_and_duplicates() {
        for flaw in JsonFlaw::ALL {
            let lawful = matches!(flaw, JsonFlaw::WrongTypes | JsonFlaw::DuplicateKeys);
            let parsed = serde_json::from_slice::<Value>(&spoiled(flaw));
            assert_eq!(parsed.is_ok(), lawful, "{flaw:?}");
        }
    }

    #[test]
    fn flaws_follow_each_other_and_need_json() {
        let profile = ContractProfile::linktree_v1();
        let mut reply = Reply::json(200, json!({}));
        for flaw in [JsonFlaw::Nan, JsonFlaw::Bom, JsonFlaw::InvalidUtf8] {
            assert!(spoil(&mut reply, &profile, flaw, 50), "{flaw:?}");
        }
        let Body::Raw { bytes, .. } = &reply.body else { panic!() };
        assert_eq!(bytes, b"\xef\xbb\xbf{\"note\":\"\xc3\x28\",\"ratio\":NaN}");
        assert!(!spoil(&mut Reply::empty(304), &profile, JsonFlaw::Cut, 50));
        let page = Body::Raw { bytes: b"<p>{</p>".to_vec(), kind: None };
        let mut html = Reply { body: page, ..Reply::empty(200) };
        assert!(!spoil(&mut html, &profile, JsonFlaw::Cut, 50));
    }
}
