//! A creator looks at own figures.

use super::{Act, ActionInfo, Connection, Visit};
use crate::front_door::FrontRoute;
use crate::history::{Did, Look, Session};
use crate::traffic::Answer;
use crate::traffic::sessions::nonces_in;
use reqwest::{Client, RequestBuilder};
use std::borrow::Cow;

/// Days that are asked for, today included.
const DAYS: i64 = 28;

/// Looks at own figures.
pub struct Analytics;

impl Act for Analytics {
    const INFO: ActionInfo = ActionInfo {
        id: "analytics",
        noun: "look at figures",
        story: "look at the figures of",
        lines: None,
        dice: "analytics",
        needs: Some(FrontRoute::Analytics),
        connection: Connection::Kept,
    };

    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder {
        let token = visit.sessions.token(visit.handle);
        look(visit, client, &address(visit, visit.handle), Some(&token))
    }

    fn notes(visit: &mut Visit<'_>, answer: &Answer) -> Did<'static> {
        Did::Analytics(seen(visit, answer, Session::Own, Some(visit.handle)))
    }
}

/// The address of the figures of `handle`, however that is written.
pub(super) fn address(visit: &Visit<'_>, handle: &str) -> String {
    let (from, to) = (visit.day(DAYS - 1), visit.day(0));
    visit.url(&visit.front.analytics_of(handle, &from, &to))
}

/// Asks there with this token, or with none.
pub(super) fn look(
    visit: &Visit<'_>,
    client: &Client,
    address: &str,
    token: Option<&str>,
) -> RequestBuilder {
    let (front, request) = (visit.front, client.get(address));
    match token {
        Some(token) => {
            request.header(&front.session_header, front.session.replace("{token}", token))
        }
        None => request,
    }
}

/// What a look with such a session met; `principal` is whoever vouched for it.
pub(super) fn seen(
    visit: &Visit<'_>,
    answer: &Answer,
    session: Session,
    principal: Option<&str>,
) -> Look<'static> {
    Look {
        session,
        principal: principal.map(|handle| Cow::Owned(handle.to_owned())),
        owners: visit.sessions.owners_in(&answer.body),
        nonces: nonces_in(&answer.body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front_door::FrontDoor;
    use crate::traffic::actions::testing;

    #[test]
    fn a_creator_shows_a_token_where_the_integration_wants_it() {
        let front = FrontDoor {
            session_header: "cookie".into(),
            session: "sid={token}; theme=dark".into(),
            analytics: "/figures/{handle}?since={from}&until={to}".into(),
            ..FrontDoor::default()
        };
        let visit = Visit { front: &front, ..testing::visit() };
        let request = Analytics::sends(&visit, &Client::new()).build().unwrap();
        assert_eq!((request.method().as_str(), request.url().path()), ("GET", "/figures/ann"));
        assert_eq!(request.url().query(), Some("since=1969-12-05&until=1970-01-01"));
        let shown = request.headers()["cookie"].to_str().unwrap();
        assert_eq!(shown, format!("sid={}; theme=dark", visit.sessions.token("ann")));
        assert!(!request.headers().contains_key("authorization"));
    }

    #[test]
    fn of_the_answer_only_what_is_found_in_it_is_noted() {
        let answer = Answer { body: b"\"n-00112233445566aa\"".to_vec(), ..Answer::default() };
        let Did::Analytics(look) = Analytics::notes(&mut testing::visit(), &answer) else {
            panic!("a look notes a look");
        };
        assert_eq!((look.session, look.principal.as_deref()), (Session::Own, Some("ann")));
        assert_eq!(look.nonces, ["n-00112233445566aa"]);
    }
}
