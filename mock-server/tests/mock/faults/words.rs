//! What a raw client saw, in words that are the same in every run.

use super::sight::{Ending, Sight};
use mock_server::clock::Clock;
use mock_server::faults::Fault;
use serde_json::Value;
use std::fmt::Write;

/// What was seen, in words that do not depend on the time or on the length of a name.
pub fn described(sight: &Sight, plain: &Sight, fault: &Fault) -> String {
    let end = match sight.end {
        Ending::KeptOpen => "the connection stays open",
        Ending::Closed => "FIN",
        Ending::Reset => "RST",
        Ending::Silence => "then silence",
        Ending::Refused => return "the connection is refused".to_owned(),
        Ending::Unanswered => return "the handshake is not answered".to_owned(),
    };
    if sight.bytes.is_empty() {
        return format!("no byte; {end}");
    }
    let Some((head, body)) = sight.parts() else {
        return format!("{} bytes: {}; {end}", sight.bytes.len(), escaped(&sight.bytes, 24));
    };
    let mut out = head.split("\r\n").next().unwrap().to_owned();
    if sight.status().is_none() {
        return format!("`{out}` and no other line of a head; {end}");
    }
    for (name, value) in sight.headers() {
        let usual = plain.values(&name).contains(&value) || name == "content-length";
        let repeated = name == "content-length" && sight.values(&name).len() > 1;
        if (!usual && !is_now(&name, &value)) || repeated {
            let repeated = repeated.then(|| share(value.parse().unwrap_or(0), sight.promised()));
            write!(out, "; {name}: {}", repeated.unwrap_or_else(|| steady(&value))).unwrap();
        }
    }
    for (name, _) in plain.headers() {
        if sight.values(&name).is_empty() {
            write!(out, "; no {name}").unwrap();
        }
    }
    write!(out, "; {}; {end}", body_in_words(body, sight, fault)).unwrap();
    out
}

fn body_in_words(body: &[u8], sight: &Sight, fault: &Fault) -> String {
    let Some(promised) = sight.promised() else {
        let end = escaped(&body[body.len().saturating_sub(10)..], 10);
        return format!("in chunks, the last bytes {end}");
    };
    if body.len() < promised {
        return format!("{} of the body", share(body.len(), Some(promised)));
    }
    if body.is_empty() {
        return "an empty body".to_owned();
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if matches!(fault, Fault::ShortPages(_)) => {
            let length = value["data"].as_array().map_or(0, Vec::len);
            format!("JSON, {length} links, has_more {}", value["has_more"])
        }
        Ok(value) if value["results"].is_array() => {
            let results = value["results"].as_array().unwrap();
            let statuses: Vec<_> = results.iter().map(|one| one["status"].to_string()).collect();
            format!("JSON, items {}", statuses.join(" "))
        }
        Ok(value) if value["error"].is_object() => {
            format!("JSON, error {}", value["error"]["code"])
        }
        Ok(value) if matches!(fault, Fault::HostileStrings(_)) => {
            let name = value["display_name"].to_string();
            format!("JSON, display_name {}", escaped(name.as_bytes(), 40))
        }
        Ok(value) if !value["handle"].is_string() || value["version"].is_null() => {
            "JSON that was not promised".to_owned()
        }
        Ok(_) => "JSON as promised".to_owned(),
        Err(_) => {
            let (begin, end) = (escaped(body, 16), &body[body.len() - 8..]);
            format!("no JSON: {begin} to {}", escaped(end, 8))
        }
    }
}

fn share(part: usize, whole: Option<usize>) -> String {
    let whole = whole.unwrap_or(0).max(1);
    format!("{} %", (part * 100 + whole / 2) / whole)
}

/// The first bytes, so that they fit into a cell.
fn escaped(bytes: &[u8], most: usize) -> String {
    let part = &bytes[..bytes.len().min(most)];
    let text = part.escape_ascii().to_string().replace("\\\"", "\"").replace("\\'", "'");
    let text = text.replace('|', "\\|").replace('`', "\\x60");
    let more = if bytes.len() > most { "…" } else { "" };
    format!("`{text}{more}`")
}

/// Whether a date is that of the writing.
fn is_now(name: &str, value: &str) -> bool {
    name == "date" && off_s(value).is_some_and(|off| off.abs() < 30)
}

fn off_s(value: &str) -> Option<i64> {
    let seconds = |time: std::time::SystemTime| {
        let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap()
    };
    Some(seconds(httpdate::parse_http_date(value).ok()?) - seconds(Clock::wall()))
}

/// A value without what changes from run to run.
fn steady(value: &str) -> String {
    if let Some(off) = off_s(value) {
        let minutes = (off.abs() + 30) / 60;
        let form = match (value.contains('-'), value.contains(',')) {
            (true, _) => " as RFC 850 wrote it",
            (_, true) => "",
            (_, false) => " as asctime writes it",
        };
        return format!("a date {minutes} min {}{form}", if off < 0 { "ago" } else { "ahead" });
    }
    if value.len() == 10 && value.parse::<u64>().is_ok() {
        return "seconds since 1970".to_owned();
    }
    if value.len() > 60 {
        return format!("{} bytes", value.len());
    }
    escaped(value.as_bytes(), 60)
}
