//! In which form a body is kept, whatever keeps it: lines of JSON, a document, a log, a table.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use scenarios::observed::KeptForm;
use serde_json::Value;

/// Texts in JSON in texts in JSON: that deep is looked.
const DEPTH: usize = 4;

/// What stands in a sink, read once for all that is sought in it.
pub struct Found<'a> {
    text: &'a [u8],
    values: Vec<Value>,
}

impl<'a> Found<'a> {
    /// Reads the sink as JSON wherever it is some.
    #[must_use]
    pub fn of(text: &'a [u8]) -> Self {
        Self { text, values: values(text) }
    }

    /// How the body with this id is kept.
    #[must_use]
    pub fn form(&self, id: &str, body: &[u8]) -> KeptForm {
        let json: Option<Value> = serde_json::from_slice(body).ok();
        if holds(self.text, body) {
            KeptForm::Raw
        } else if json.is_some_and(|json| self.values.iter().any(|one| says(one, &json, DEPTH))) {
            KeptForm::Json
        } else if encoded(body).iter().any(|one| holds(self.text, one.as_bytes()))
            || self.values.iter().any(|one| quotes(one, body))
        {
            KeptForm::Encoded
        } else if holds(self.text, id.as_bytes()) {
            KeptForm::IdOnly
        } else {
            KeptForm::Absent
        }
    }
}

/// All JSON that stands in a text: the whole of it, or in each line what begins with a bracket.
fn values(text: &[u8]) -> Vec<Value> {
    let stream: Result<Vec<Value>, _> =
        serde_json::Deserializer::from_slice(text).into_iter().collect();
    if let Ok(values) = stream {
        return values;
    }
    let lines = text.split(|byte| *byte == b'\n');
    let in_line = |line: &[u8]| {
        let at = line.iter().position(|byte| matches!(byte, b'{' | b'['))?;
        serde_json::Deserializer::from_slice(&line[at..]).into_iter().next()?.ok()
    };
    lines.filter_map(in_line).collect()
}

/// Whether this is the JSON that is sought, or holds it, be it as a text.
fn says(value: &Value, sought: &Value, depth: usize) -> bool {
    if value == sought {
        return true;
    }
    match value {
        Value::Array(items) => items.iter().any(|one| says(one, sought, depth)),
        Value::Object(fields) => fields.values().any(|one| says(one, sought, depth)),
        Value::String(text) if depth > 0 && text.trim_start().starts_with(['{', '"']) => {
            serde_json::from_str(text).is_ok_and(|inner| says(&inner, sought, depth - 1))
        }
        _ => false,
    }
}

/// Whether some text in this holds the body, whatever was escaped in it.
fn quotes(value: &Value, body: &[u8]) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|one| quotes(one, body)),
        Value::Object(fields) => fields.values().any(|one| quotes(one, body)),
        Value::String(text) => holds(text.as_bytes(), body),
        _ => false,
    }
}

/// The ways in which a body is written where it cannot stand as it is.
fn encoded(body: &[u8]) -> Vec<String> {
    let mut all = vec![hex::encode(body), hex::encode_upper(body)];
    all.extend([STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|one| one.encode(body)));
    if let Ok(text) = std::str::from_utf8(body) {
        let once = text.replace('"', "\\\"");
        let twice = once.replace('\\', "\\\\").replace("\\\\\"", "\\\\\\\"");
        // In a log, in a log of a log, in a table of values with commas.
        all.extend([once, twice, text.replace('"', "\"\"")]);
    }
    all
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    let Some(first) = part.first() else { return false };
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        if rest[at..].starts_with(part) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "msg_1";
    const PLAIN: &str = "link.clicked of msg_1 was not written as it should be 00ff";
    const JSON: &str = r#"{"id":"msg_1","type":"link.clicked","note":"00ff 11ee"}"#;

    #[track_caller]
    fn check(sink: &str, body: &str, expected: KeptForm) {
        assert_eq!(Found::of(sink.as_bytes()).form(ID, body.as_bytes()), expected, "{sink}");
    }

    #[test]
    fn a_body_is_found_as_it_is_and_in_every_encoding() {
        use KeptForm::{Encoded, Json, Raw};
        let line = |payload: Value| format!("{{}}\n{}\n", json!({ "id": ID, "payload": payload }));
        for body in [PLAIN, JSON] {
            check(&format!("12:00 failed: {body} (no data)\n"), body, Raw);
            check(&line(STANDARD.encode(body).into()), body, Encoded);
            check(&line(URL_SAFE_NO_PAD.encode(body).into()), body, Encoded);
            check(&line(hex::encode(body).into()), body, Encoded);
        }
        check(&line(PLAIN.into()), PLAIN, Raw);
        check(&line(JSON.into()), JSON, Json);
        let parsed: Value = serde_json::from_str(JSON).unwrap();
        check(&line(parsed.clone()), JSON, Json);
        check(&format!("12:00 ERROR {}", json!({ "body": JSON })), JSON, Json);
        check(&serde_json::to_string_pretty(&json!([[{ "raw": parsed }]])).unwrap(), JSON, Json);
        check(&format!("ERROR payload=\"{}\"", JSON.replace('"', "\\\"")), JSON, Encoded);
        check(&format!("1,\"{}\"", JSON.replace('"', "\"\"")), JSON, Encoded);
        let twice = json!({ "log": json!({ "payload": JSON }).to_string() }).to_string();
        check(&twice, JSON, Json);
        check(&format!("time=1 {twice}"), JSON, Json);
        let text = json!({ "text": format!("failed with {JSON}") }).to_string();
        check(&text, JSON, Encoded);
    }

    #[test]
    fn a_name_without_its_payload_and_a_part_of_it_are_no_body() {
        use KeptForm::{Absent, IdOnly};
        check("", PLAIN, Absent);
        check("msg_2 failed", JSON, Absent);
        check("msg_1 failed", JSON, IdOnly);
        check(&json!({ "id": ID, "payload": &PLAIN[..30] }).to_string(), PLAIN, IdOnly);
        let dropped = json!({ "id": ID, "type": "link.clicked" });
        check(&dropped.to_string(), JSON, IdOnly);
        check(&STANDARD.encode(&JSON[..30]), JSON, Absent);
    }
}
