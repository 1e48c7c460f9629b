//! Clicks a link of the creator: one that was on the page, or the one that every creator has.

use super::{Act, ActionInfo, Connection, Visit};
use crate::front_door::{ClickValues, FrontRoute};
use crate::history::{self, Did};
use crate::traffic::Answer;
use mock_server::history::exchange::click_payload;
use reqwest::{Client, RequestBuilder};
use std::borrow::Cow;

/// Clicks a link.
pub struct Click;

impl Act for Click {
    const INFO: ActionInfo = ActionInfo {
        id: "click",
        noun: "click",
        story: "click on",
        lines: Some(["clicks offered", "clicks acknowledged"]),
        dice: "clicks",
        needs: Some(FrontRoute::Clicks),
        connection: Connection::Kept,
    };

    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder {
        let front = visit.front;
        let body = front.click_fields.body(&ClickValues {
            event_id: &event_id(visit),
            handle: visit.handle,
            link_id: &link_id(visit),
            occurred_at: &visit.calendar(),
            ip: &visit.visitor.ip(),
            user_agent: &visit.habits.browser,
        });
        client.request(front.click_method.method(), visit.url(&front.clicks)).json(&body)
    }

    /// What was sent; the answer to a click says nothing more.
    fn notes(visit: &mut Visit<'_>, _answer: &Answer) -> Did<'static> {
        let payload = click_payload(visit.handle, &link_id(visit), &visit.calendar());
        let event_id = Cow::Owned(event_id(visit));
        Did::Click(history::Click { event_id, payload: Cow::Owned(payload) })
    }
}

/// The same seed and index always give the same id.
fn event_id(visit: &Visit<'_>) -> String {
    format!("{}{}", event_prefix(visit.visitor.seed), visit.visitor.arrival)
}

/// What the ids of all clicks with this seed begin with.
#[must_use]
pub fn event_prefix(seed: u64) -> String {
    format!("ev-{:08x}-", seed >> 32)
}

/// A link that was on the page; whoever has seen none takes the first that every creator has.
pub(super) fn link_id<'v>(visit: &'v Visit<'_>) -> Cow<'v, str> {
    let seen = visit.page.as_ref().map_or(&[][..], |page| &page.links);
    match visit.visitor.chosen(seen) {
        Some(link) => Cow::Borrowed(link),
        None => Cow::Owned(format!("{}-l1", visit.handle)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::Visitor;
    use crate::traffic::actions::testing;
    use crate::traffic::page::Page;
    use std::sync::Arc;

    /// The body that a visitor sends who has seen these links, and the payload that is noted.
    fn sent(links: &[&str]) -> (serde_json::Value, String) {
        let mut visit = testing::visit();
        visit.visitor = Visitor { seed: 0xfeed_beef_0000_0001, arrival: 43 };
        let links = links.iter().map(|&link| link.to_owned()).collect();
        visit.page = Some(Arc::new(Page { links, ..Page::default() }));
        let request = Click::sends(&visit, &Client::new()).build().unwrap();
        assert_eq!((request.method().as_str(), request.url().path()), ("POST", "/api/clicks"));
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap();
        let Did::Click(click) = Click::notes(&mut visit, &Answer::default()) else {
            panic!("a click notes a click");
        };
        assert_eq!(click.event_id, "ev-feedbeef-43");
        (serde_json::from_slice(body).unwrap(), click.payload.into_owned())
    }

    #[test]
    fn a_link_of_the_page_is_clicked_or_else_the_first_that_every_creator_has() {
        let (body, payload) = sent(&["lnk_8", "lnk_9"]);
        assert_eq!(
            (&body["event_id"], &body["link_id"]),
            (&"ev-feedbeef-43".into(), &"lnk_9".into())
        );
        assert_eq!(payload, click_payload("ann", "lnk_9", "1970-01-01T00:00:01.500Z"));
        assert_eq!(sent(&[]).0["link_id"], "ann-l1");
    }
}
