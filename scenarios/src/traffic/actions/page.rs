//! Opens the creator's page, and reads which version it shows and which links it has.

use super::{Act, ActionInfo, Connection, Visit};
use crate::history::{Did, PageView};
use crate::traffic::Answer;
use reqwest::{Client, RequestBuilder};
use std::borrow::Cow;

/// Opens the creator's page.
pub struct Page;

impl Act for Page {
    const INFO: ActionInfo = ActionInfo {
        id: "page",
        noun: "page view",
        story: "page of",
        lines: Some(["pages offered", "pages served"]),
        dice: "pages",
        needs: None,
        connection: Connection::Kept,
    };

    fn sends(visit: &Visit<'_>, client: &Client) -> RequestBuilder {
        let page = client.get(visit.page_url(visit.handle));
        if visit.habits.prefetch {
            // The first is the standard's, the second that of older browsers.
            return page.header("sec-purpose", "prefetch").header("purpose", "prefetch");
        }
        page
    }

    /// The header names the version before the page itself does.
    fn notes(visit: &mut Visit<'_>, answer: &Answer) -> Did<'static> {
        let page = visit.pages.read(answer, visit.front);
        let own = |text: &str| Cow::Owned(text.to_owned());
        let version = answer.header(&visit.front.version_header).or(page.version.as_deref());
        let view = PageView {
            version: version.map(own),
            cache_status: answer.header("cache-status").map(own),
            body: answer.whole.then_some(answer.hash),
            shown: answer.whole.then_some(page.shown),
            hostile: (answer.whole && !page.hostile.is_empty())
                .then(|| Box::new(page.hostile.clone())),
            campaign: !visit.habits.query.is_empty(),
            prefetch: visit.habits.prefetch,
        };
        visit.page = Some(page);
        Did::Page(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Shown;
    use crate::traffic::Habits;
    use crate::traffic::actions::testing;

    #[test]
    fn a_visitor_comes_by_a_campaign_and_a_browser_asks_ahead() {
        let sent = |habits: Habits| {
            let visit = Visit { habits, ..testing::visit() };
            Page::sends(&visit, &Client::new()).build().unwrap()
        };
        let plain = sent(Habits::default());
        assert_eq!((plain.url().path(), plain.url().query()), ("/ann", None));
        assert!(plain.headers().is_empty());
        let lured = Habits { query: "a=1&b=%40".into(), prefetch: true, ..Habits::default() };
        let lured = sent(lured);
        assert_eq!((lured.url().path(), lured.url().query()), ("/ann", Some("a=1&b=%40")));
        assert_eq!(lured.headers()["sec-purpose"], "prefetch");
    }

    #[test]
    fn a_view_notes_the_version_of_the_header_or_else_of_the_page_and_leaves_its_links() {
        let mut visit = testing::visit();
        let html = r#"<meta name="profile-version" content="v7"><a data-link-id="lnk_9">"#;
        let mut answer = Answer { body: html.into(), ..Answer::default() };
        let mut noted = |answer: &Answer| match Page::notes(&mut visit, answer) {
            Did::Page(view) => view,
            other => panic!("a page view notes a page view, not {other:?}"),
        };
        assert_eq!(noted(&answer).version.as_deref(), Some("v7"));
        assert_eq!(noted(&answer).body, None, "it broke off");
        answer.whole = true;
        answer.headers.insert("x-profile-version", "v8".parse().unwrap());
        answer.headers.insert("cache-status", "own; hit".parse().unwrap());
        let view = noted(&answer);
        assert_eq!(view.version.as_deref(), Some("v8"));
        assert_eq!(view.cache_status.as_deref(), Some("own; hit"));
        assert_eq!(view.body, Some(answer.hash));
        assert_eq!(view.shown, Some(Shown::of(["lnk_9"])));
        assert_eq!(visit.page.unwrap().links, ["lnk_9"]);
    }
}
