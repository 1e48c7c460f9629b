//! Sends what is no click to where clicks are sent, and breaks off in the middle of one.
//!
//! None of it can be delivered. Each kind holds what must not be logged where it is refused: the
//! visitor's address, or the creator's e-mail where somebody mistook it for a handle.

mod cut_off;

use super::{Act, ActionInfo, Connection, Visit};
use crate::front_door::{ClickFields, ClickValues, FrontRoute};
use crate::history::{Did, Oddity};
use crate::traffic::Answer;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Client, RequestBuilder};
use serde_json::{Value, json};

/// Sends what is no click.
pub struct GarbledClick;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Half,
    List,
    WithoutId,
    NumberForHandle,
    EmailForHandle,
    NoTime,
    LineBreaks,
    LongId,
    Form,
    NoText,
    Oversized,
    Empty,
    CutOff,
}

const KINDS: [Kind; 14] = [
    Kind::WithoutId,
    Kind::CutOff,
    Kind::EmailForHandle,
    Kind::Half,
    Kind::NumberForHandle,
    Kind::Form,
    Kind::NoTime,
    Kind::Text,
    Kind::Oversized,
    Kind::List,
    Kind::LineBreaks,
    Kind::LongId,
    Kind::NoText,
    Kind::Empty,
];

/// Far more than a click needs, in bytes.
const OVERSIZED: usize = 150_000;
const JSON: &str = "application/json";

impl Kind {
    const fn words(self) -> &'static str {
        match self {
            Self::Text => "no JSON",
            Self::Half => "half of the JSON",
            Self::List => "a list",
            Self::WithoutId => "without an id",
            Self::NumberForHandle => "a number for a handle",
            Self::EmailForHandle => "an e-mail for a handle",
            Self::NoTime => "no time",
            Self::LineBreaks => "line breaks in the id",
            Self::LongId => "an id without end",
            Self::Form => "a form",
            Self::NoText => "bytes that are no text",
            Self::Oversized => "a body without end",
            Self::Empty => "nothing",
            Self::CutOff => "cut off",
        }
    }

    /// What is sent, and what it calls itself.
    fn body(self, visit: &Visit<'_>) -> (Vec<u8>, &'static str) {
        let (fields, ip) = (&visit.front.click_fields, visit.visitor.ip());
        let calendar = visit.calendar();
        let click = ClickValues {
            event_id: "garbled",
            handle: visit.handle,
            link_id: "lnk_000000000000",
            occurred_at: &calendar,
            ip: &ip,
            user_agent: &visit.habits.browser,
        };
        let json = |click: &ClickValues<'_>| fields.body(click);
        let nameless = ClickFields { event_id: String::new(), ..fields.clone() };
        let value = match self {
            Self::Text => return (format!("clicked, says {ip}").into(), JSON),
            Self::Form => {
                let form = format!("event_id=garbled&handle={}&ip={ip}", visit.handle);
                return (form.into(), "application/x-www-form-urlencoded");
            }
            Self::NoText => return ([b"\xff\xfe{\"ip\":\"", ip.as_bytes()].concat(), JSON),
            Self::Empty => return (Vec::new(), JSON),
            Self::Half | Self::CutOff => {
                let mut text = json(&click).to_string().into_bytes();
                text.truncate(text.len() - 2);
                return (text, JSON);
            }
            Self::List => json!([json(&click), json(&click)]),
            Self::WithoutId => nameless.body(&click),
            Self::Oversized => {
                let mut body = nameless.body(&click);
                body["more"] = "x".repeat(OVERSIZED).into();
                body
            }
            Self::NumberForHandle => {
                let mut body = json(&click);
                let pointer = format!("/{}", fields.handle.replace('.', "/"));
                if let Some(handle) = body.pointer_mut(&pointer) {
                    *handle = Value::from(42);
                }
                body
            }
            Self::EmailForHandle => json(&ClickValues { handle: &visit.email(), ..click }),
            Self::NoTime => json(&ClickValues { occurred_at: "yesterday", ..click }),
            Self::LineBreaks => {
                let event_id = format!("garbled\r\nip={ip}\n");
                json(&ClickValues { event_id: &event_id, ..click })
            }
            Self::LongId => json(&ClickValues { event_id: &"x".repeat(5_000), ..click }),
        };
        (value.to_string().into_bytes(), JSON)
    }
}

impl Act for GarbledClick {
    const INFO: ActionInfo = ActionInfo {
        id: "garbled-click",
        noun: "garbled click",
        story: "garbled click on",
        lines: None,
        dice: "garbled clicks",
        needs: Some(FrontRoute::Clicks),
        connection: Connection::Own,
    };

    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder {
        let (front, kind) = (visit.front, visit.in_turn(&KINDS));
        let (body, content_type) = kind.body(visit);
        let request = client
            .request(front.click_method.method(), visit.url(&front.clicks))
            .header(CONTENT_TYPE, content_type);
        if kind == Kind::CutOff {
            let declared = body.len() + 2;
            return request
                .header(CONTENT_LENGTH, declared)
                .body(Body::wrap(cut_off::CutOff::after(body)));
        }
        request.body(body)
    }

    fn notes(visit: &mut Visit<'_>, _answer: &Answer) -> Did<'static> {
        Did::GarbledClick(Oddity::of(visit.in_turn(&KINDS).words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::actions::testing;
    use mock_server::world::idempotency::Click;

    /// What the visitor who sends this kind sends.
    fn sent(kind: Kind) -> String {
        let nth = KINDS.iter().position(|other| *other == kind).unwrap();
        let mut visit = Visit { nth: u32::try_from(nth).unwrap(), ..testing::visit() };
        let request = GarbledClick::sends(&visit, &Client::new()).build().unwrap();
        assert_eq!((request.method().as_str(), request.url().path()), ("POST", "/api/clicks"));
        let noted = GarbledClick::notes(&mut visit, &Answer::default());
        assert_eq!(noted, Did::GarbledClick(Oddity::of(kind.words())));
        String::from_utf8_lossy(&kind.body(&visit).0).into_owned()
    }

    #[test]
    fn nothing_of_it_is_a_click_and_nearly_all_of_it_is_personal() {
        for kind in KINDS {
            let text = sent(kind);
            let is_click = serde_json::from_str::<Click>(&text).is_ok_and(|click| {
                click.event_id.len() < 100
                    && !click.event_id.contains('\n')
                    && !click.handle.contains('@')
                    && click.occurred_at.contains(':')
            });
            assert!(!is_click, "{kind:?}: {text}");
            let ip = testing::visit().visitor.ip();
            assert!(text.contains(&ip) || kind == Kind::Empty, "{kind:?}: {text}");
        }
        assert!(sent(Kind::EmailForHandle).contains(&testing::visit().email()));
        assert!(sent(Kind::Oversized).len() > OVERSIZED);
        assert!(sent(Kind::Half).starts_with('{'));
    }

    #[test]
    fn each_kind_has_words_of_its_own() {
        let words: std::collections::HashSet<_> = KINDS.iter().map(|kind| kind.words()).collect();
        assert_eq!(words.len(), KINDS.len());
    }
}
