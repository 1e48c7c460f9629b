//! A click as visitors send it, checked. The visitor's address is dropped here: it goes nowhere.

use crate::linktree::is_handle;
use serde::{Deserialize, Serialize};

/// A click, in the shape in which Linktree takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Click {
    /// Chosen by the visitor's browser; the same for every repetition.
    pub event_id: String,
    /// Whose page.
    pub handle: String,
    /// Which link.
    pub link_id: String,
    /// When, in RFC 3339, passed on as it came.
    pub occurred_at: String,
}

impl Click {
    /// Reads the body of `POST /api/clicks`.
    ///
    /// # Errors
    /// With the field that is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, &'static str> {
        let click: Self = serde_json::from_slice(body).map_err(|_| "body")?;
        let is_id = |text: &str| {
            (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !is_id(&click.event_id) {
            return Err("event_id");
        }
        if !is_handle(&click.handle) {
            return Err("handle");
        }
        if !is_id(&click.link_id) {
            return Err("link_id");
        }
        if click.occurred_at.parse::<jiff::Timestamp>().is_err() {
            return Err("occurred_at");
        }
        Ok(click)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: &str, value: &str, expected: Result<(), &'static str>) {
        let mut body = serde_json::json!({
            "event_id": "e1", "handle": "a.b", "link_id": "l1",
            "occurred_at": "2026-01-01T00:00:00Z",
            "visitor": {"ip": "192.0.2.1", "user_agent": "x"},
        });
        body[field] = value.into();
        assert_eq!(Click::parse(body.to_string().as_bytes()).map(drop), expected, "{value}");
    }

    #[test]
    fn each_field_is_checked() {
        check("occurred_at", "2026-01-01T00:00:00.123+02:00", Ok(()));
        check("event_id", "", Err("event_id"));
        check("event_id", "a\r\nb", Err("event_id"));
        check("handle", "UPPER", Err("handle"));
        check("link_id", &"x".repeat(129), Err("link_id"));
        check("occurred_at", "yesterday", Err("occurred_at"));
        assert_eq!(Click::parse(b"[]"), Err("body"));
    }
}
