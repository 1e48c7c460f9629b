//! Asks for the head of the creator's page alone, as previewers and link checkers do.

use super::{Act, ActionInfo, Connection, Visit};
use crate::history::{Did, PageView};
use crate::traffic::Answer;
use reqwest::{Client, RequestBuilder};
use std::borrow::Cow;

/// Asks for the head of a page.
pub struct Head;

impl Act for Head {
    const INFO: ActionInfo = ActionInfo {
        id: "head",
        noun: "HEAD of a page",
        story: "HEAD of the page of",
        lines: None,
        dice: "heads",
        needs: None,
        connection: Connection::Own,
    };

    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder {
        client.head(visit.page_url(visit.handle))
    }

    /// There is no body, so it shows no links.
    fn notes(visit: &mut Visit<'_>, answer: &Answer) -> Did<'static> {
        let named = |name: &str| answer.header(name).map(|text| Cow::Owned(text.to_owned()));
        Did::Head(PageView {
            version: named(&visit.front.version_header),
            cache_status: named("cache-status"),
            campaign: !visit.habits.query.is_empty(),
            ..PageView::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::actions::testing;

    #[test]
    fn a_head_is_asked_for_and_names_the_version() {
        let mut visit = testing::visit();
        let request = Head::sends(&visit, &Client::new()).build().unwrap();
        assert_eq!((request.method().as_str(), request.url().path()), ("HEAD", "/ann"));
        let mut answer = Answer::default();
        answer.headers.insert("x-profile-version", "v8".parse().unwrap());
        let Did::Head(view) = Head::notes(&mut visit, &answer) else {
            panic!("a head notes a head");
        };
        assert_eq!((view.version.as_deref(), view.body), (Some("v8"), None));
        assert!(visit.page.is_none());
    }
}
