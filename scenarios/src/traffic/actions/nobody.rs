//! Opens the page of nobody: what browsers, crawlers and burglars ask every web server for.

use super::{Act, ActionInfo, Connection, Visit};
use crate::history::{Did, Oddity};
use crate::traffic::Answer;
use reqwest::{Client, RequestBuilder};

/// Opens the page of nobody.
pub struct Nobody;

/// A handful only: each costs a call whenever an integration asks Linktree whether it is somebody.
const HANDLES: [&str; 6] = [
    "favicon.ico",
    "robots.txt",
    "NOBODY",
    "nobody",
    "wp-login.php",
    "nobody-of-far-more-than-30-letters",
];

impl Act for Nobody {
    const INFO: ActionInfo = ActionInfo {
        id: "nobody",
        noun: "view of nobody's page",
        story: "page of nobody, instead of",
        lines: None,
        dice: "nobodies",
        needs: None,
        connection: Connection::Own,
    };

    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder {
        client.get(visit.page_url(visit.in_turn(&HANDLES)))
    }

    fn notes(visit: &mut Visit<'_>, _answer: &Answer) -> Did<'static> {
        Did::Nobody(Oddity::of(visit.in_turn(&HANDLES)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::actions::testing;
    use std::collections::HashSet;

    #[test]
    fn each_visitor_asks_for_the_next_nobody_and_there_are_few() {
        let path = |nth| {
            let visit = Visit { nth, ..testing::visit() };
            let request = Nobody::sends(&visit, &Client::new()).build().unwrap();
            request.url().path().to_owned()
        };
        assert_eq!([0, 1, 6].map(path), ["/favicon.ico", "/robots.txt", "/favicon.ico"]);
        assert_eq!((0..100).map(path).collect::<HashSet<_>>().len(), HANDLES.len());
    }
}
