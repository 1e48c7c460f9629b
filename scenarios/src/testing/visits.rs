//! Front-door operations and scrapes written by hand.

use crate::history::{Campaign, Click, Did, Look, NewWords, Operation, PageView};
use crate::observed::{Figures, Scrape};
use mock_server::clock::Moment;
use mock_server::history::record::Alert;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A visitor opened a page from `from_ms` to `until_ms` and saw `version`.
pub fn page(
    handle: &'static str,
    from_ms: u64,
    until_ms: u64,
    version: &'static str,
) -> Operation<'static> {
    Operation {
        arrival: from_ms,
        handle: Cow::Borrowed(handle),
        intended: Moment::from_ms(from_ms),
        sent: Moment::from_ms(from_ms),
        first: Some(Moment::from_ms(until_ms)),
        last: Moment::from_ms(until_ms),
        status: Some(200),
        failure: None,
        did: Did::Page(PageView { version: Some(version.into()), ..PageView::default() }),
    }
}

/// A visitor opened a page that showed no version.
pub fn blank(handle: &'static str, from_ms: u64, until_ms: u64) -> Operation<'static> {
    Operation { did: Did::Page(PageView::default()), ..page(handle, from_ms, until_ms, "-") }
}

/// A visitor clicked, and the front door acknowledged with 202.
pub fn click(event_id: &'static str, from_ms: u64, until_ms: u64) -> Operation<'static> {
    Operation {
        status: Some(202),
        did: Did::Click(Click { event_id: event_id.into(), payload: "p".into() }),
        ..page("ann", from_ms, until_ms, "-")
    }
}

/// A creator launched a campaign: of each link its id and what it shall say. The front door acknowledged it.
pub fn launched(links: &[(&str, &str)], from_ms: u64, until_ms: u64) -> Operation<'static> {
    let words = |(id, payload): &(&str, &str)| NewWords {
        id: Cow::Owned((*id).to_owned()),
        payload: Cow::Owned((*payload).to_owned()),
    };
    Operation {
        status: Some(202),
        did: Did::Campaign(Campaign { links: links.iter().map(words).collect() }),
        ..page("ann", from_ms, until_ms, "-")
    }
}

/// A good scrape at `at_ms` that takes 5 ms.
pub fn scrape(at_ms: u64, figures: Figures) -> Scrape {
    let (sent, last) = (Moment::from_ms(at_ms), Moment::from_ms(at_ms + 5));
    Scrape { sent, last, status: Some(200), failure: None, figures, pushed: None }
}

/// A creator looked at own figures from `from_ms` to `until_ms`, and was answered so.
pub fn look(handle: &'static str, from_ms: u64, until_ms: u64, status: u16) -> Operation<'static> {
    let principal = Some(Cow::Borrowed(handle));
    Operation {
        status: Some(status),
        did: Did::Analytics(Look { principal, ..Look::default() }),
        ..page(handle, from_ms, until_ms, "-")
    }
}
/// An alert of this name that fires, and says nothing of its end.
pub fn pushed(name: &str, at_ms: u64) -> Alert {
    Alert {
        at: Moment::from_ms(at_ms),
        labels: [("alertname".to_owned(), name.to_owned())].into(),
        annotations: BTreeMap::new(),
        starts_unix_ms: None,
        ends_unix_ms: None,
        firing: true,
        until: None,
    }
}

/// The word that it is over.
pub fn resolved(name: &str, at_ms: u64) -> Alert {
    Alert { firing: false, ..pushed(name, at_ms) }
}
