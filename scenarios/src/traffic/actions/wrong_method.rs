//! Comes to a page with a method that pages do not have, with a form filled in.

use super::{Act, ActionInfo, Connection, Visit};
use crate::history::{Did, Oddity};
use crate::traffic::Answer;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder};

/// Comes to a page with a method that pages do not have.
pub struct WrongMethod;

const METHODS: [&str; 6] = ["PUT", "DELETE", "POST", "PATCH", "OPTIONS", "BREW"];

impl Act for WrongMethod {
    const INFO: ActionInfo = ActionInfo {
        id: "wrong-method",
        noun: "page by a wrong method",
        story: "wrong method at the page of",
        lines: None,
        dice: "wrong methods",
        needs: None,
        connection: Connection::Own,
    };

    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder {
        // All of these are tokens (RFC 9110 section 5.6.2), and so methods.
        let method = visit.in_turn(&METHODS).parse().unwrap_or(Method::PUT);
        let form = format!("email={}&ip={}", visit.email(), visit.visitor.ip());
        client
            .request(method, visit.page_url(visit.handle))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form)
    }

    fn notes(visit: &mut Visit<'_>, _answer: &Answer) -> Did<'static> {
        Did::WrongMethod(Oddity::of(visit.in_turn(&METHODS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::actions::testing;

    #[test]
    fn each_visitor_has_the_next_method() {
        for (nth, method) in (0..).zip(METHODS) {
            let mut visit = Visit { nth, ..testing::visit() };
            let request = WrongMethod::sends(&visit, &Client::new()).build().unwrap();
            assert_eq!((request.method().as_str(), request.url().path()), (method, "/ann"));
            let noted = WrongMethod::notes(&mut visit, &Answer::default());
            assert_eq!(noted, Did::WrongMethod(Oddity::of(method)));
        }
    }
}
