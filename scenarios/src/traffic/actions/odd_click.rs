//! Sends a click that is well spelled and odd: an integration may refuse it, or pass it on.

use super::click::{event_prefix, link_id};
use super::{Act, ActionInfo, Connection, Visit};
use crate::front_door::{ClickValues, FrontRoute};
use crate::history::{Did, Oddity};
use crate::traffic::Answer;
use reqwest::{Client, RequestBuilder};
use serde_json::json;
use std::borrow::Cow;

/// Sends an odd click.
pub struct OddClick;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    UnknownLink,
    UnknownCreator,
    LongAgo,
    FarAhead,
    MoreFields,
}

const KINDS: [Kind; 5] =
    [Kind::UnknownLink, Kind::UnknownCreator, Kind::LongAgo, Kind::FarAhead, Kind::MoreFields];

impl Kind {
    const fn words(self) -> &'static str {
        match self {
            Self::UnknownLink => "an unknown link",
            Self::UnknownCreator => "an unknown creator",
            Self::LongAgo => "a time long ago",
            Self::FarAhead => "a time far ahead",
            Self::MoreFields => "more fields",
        }
    }
}

impl Act for OddClick {
    const INFO: ActionInfo = ActionInfo {
        id: "odd-click",
        noun: "odd click",
        story: "odd click on",
        lines: None,
        dice: "odd clicks",
        needs: Some(FrontRoute::Clicks),
        connection: Connection::Own,
    };

    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder {
        let (front, kind) = (visit.front, visit.in_turn(&KINDS));
        let (handle, link_id): (_, Cow<'_, str>) = match kind {
            Kind::UnknownLink => (visit.handle, "lnk_000000000000".into()),
            Kind::UnknownCreator => ("nobody", "nobody-l1".into()),
            Kind::LongAgo | Kind::FarAhead | Kind::MoreFields => (visit.handle, link_id(visit)),
        };
        let occurred_at = match kind {
            Kind::LongAgo => "1970-01-01T00:00:00Z".into(),
            Kind::FarAhead => "2199-12-31T23:59:59Z".into(),
            Kind::UnknownLink | Kind::UnknownCreator | Kind::MoreFields => visit.calendar(),
        };
        let mut body = front.click_fields.body(&ClickValues {
            event_id: &event_id(visit),
            handle,
            link_id: &link_id,
            occurred_at: &occurred_at,
            ip: &visit.visitor.ip(),
            user_agent: &visit.habits.browser,
        });
        if kind == Kind::MoreFields {
            body["more"] = json!({ "email": visit.email(), "screen": [390, 844, null] });
        }
        client.request(front.click_method.method(), visit.url(&front.clicks)).json(&body)
    }

    /// Its id, for it may reach Linktree.
    fn notes(visit: &mut Visit<'_>, _answer: &Answer) -> Did<'static> {
        let event_id = Some(Cow::Owned(event_id(visit)));
        let kind = visit.in_turn(&KINDS).words().into();
        Did::OddClick(Oddity { kind, event_id })
    }
}

/// The same seed and index always give the same id, which no click has.
fn event_id(visit: &Visit<'_>) -> String {
    format!("{}{}-odd", event_prefix(visit.visitor.seed), visit.visitor.arrival)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::actions::testing;

    #[track_caller]
    fn check(nth: u32, pointer: &str, expected: &str) {
        let mut visit = Visit { nth, ..testing::visit() };
        let request = OddClick::sends(&visit, &Client::new()).build().unwrap();
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap();
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        let expected = expected.replace("{email}", &visit.email());
        assert_eq!(body.pointer(pointer).unwrap(), &expected, "{body}");
        let Did::OddClick(oddity) = OddClick::notes(&mut visit, &Answer::default()) else {
            panic!("an odd click notes an odd click");
        };
        assert_eq!(body["event_id"], *oddity.event_id.unwrap());
    }

    #[test]
    fn each_visitor_sends_the_next_kind_under_an_id_that_no_click_has() {
        check(0, "/link_id", "lnk_000000000000");
        check(1, "/handle", "nobody");
        check(2, "/occurred_at", "1970-01-01T00:00:00Z");
        check(3, "/occurred_at", "2199-12-31T23:59:59Z");
        check(4, "/more/email", "{email}");
        check(5, "/event_id", "ev-00000000-0-odd");
    }
}
