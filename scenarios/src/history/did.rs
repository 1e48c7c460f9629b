//! What a visitor did, one variant for each action, carrying what that action notes.

use super::{BodyHash, Campaign, Cross, Hostile, Look, Shown};
use crate::measure::so_many;
use crate::traffic::actions::Action;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What a visitor did. Every action has one variant, and an arm in each match below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Did<'a> {
    /// Opened a page.
    Page(#[serde(borrow)] PageView<'a>),
    /// Clicked a link.
    Click(#[serde(borrow)] Click<'a>),
    /// Asked for the head of a page.
    Head(#[serde(borrow)] PageView<'a>),
    /// Opened the page of nobody.
    Nobody(#[serde(borrow)] Oddity<'a>),
    /// Came to a page with a method that pages do not have.
    WrongMethod(#[serde(borrow)] Oddity<'a>),
    /// Sent what is no click to where clicks are sent.
    GarbledClick(#[serde(borrow)] Oddity<'a>),
    /// Sent a click that an integration may take in or refuse.
    OddClick(#[serde(borrow)] Oddity<'a>),
    /// Looked at own figures.
    Analytics(#[serde(borrow)] Look<'a>),
    /// Looked at another creator's figures with a session of one's own.
    ForeignAnalytics(#[serde(borrow)] Look<'a>),
    /// Looked at a creator's figures with a session that nobody was given, or in a disguise.
    ForgedSession(#[serde(borrow)] Look<'a>),
    /// Asked as a page of another origin does.
    Cross(#[serde(borrow)] Cross<'a>),
    /// Launched a campaign.
    Campaign(#[serde(borrow)] Campaign<'a>),
}

/// What is noted of a page view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageView<'a> {
    /// The upstream version that the page shows.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'a, str>>,
    /// `Cache-Status`, if the integration sends it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub cache_status: Option<Cow<'a, str>>,
    /// The hash of the body, if all of it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyHash>,
    /// The links that the page shows, if all of it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
    /// What became of a hostile creator's words, if all of it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostile: Option<Box<Hostile>>,
    /// Whether the visitor came by a campaign, whose parameters stood in the query.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub campaign: bool,
    /// Whether it was the visitor's browser that asked ahead (`Sec-Purpose: prefetch`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prefetch: bool,
}

/// What is noted of a click.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Click<'a> {
    /// The click's id.
    #[serde(borrow)]
    pub event_id: Cow<'a, str>,
    /// Hash of what it says, as [`mock_server::history::exchange::ClickReceipt::payload`].
    #[serde(borrow)]
    pub payload: Cow<'a, str>,
}

/// What is noted of what no sane visitor sends. How it is answered is the integration's own affair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oddity<'a> {
    /// What was odd about it, in a word or two.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// The id of what an integration may take for a click.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Cow<'a, str>>,
}

impl<'a> Oddity<'a> {
    /// An oddity that nobody can take for a click.
    #[must_use]
    pub const fn of(kind: &'a str) -> Self {
        Self { kind: Cow::Borrowed(kind), event_id: None }
    }
}

impl Did<'_> {
    /// The action that was done.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Page(_) => Action::Page,
            Self::Click(_) => Action::Click,
            Self::Head(_) => Action::Head,
            Self::Nobody(_) => Action::Nobody,
            Self::WrongMethod(_) => Action::WrongMethod,
            Self::GarbledClick(_) => Action::GarbledClick,
            Self::OddClick(_) => Action::OddClick,
            Self::Analytics(_) => Action::Analytics,
            Self::ForeignAnalytics(_) => Action::ForeignAnalytics,
            Self::ForgedSession(_) => Action::ForgedSession,
            Self::Cross(_) => Action::Cross,
            Self::Campaign(_) => Action::Campaign,
        }
    }

    /// The body that the visitor was shown; those of other answers are not recorded.
    #[must_use]
    pub const fn body(&self) -> Option<BodyHash> {
        match self {
            Self::Page(view) => view.body,
            Self::Click(_)
            | Self::Head(_)
            | Self::Nobody(_)
            | Self::WrongMethod(_)
            | Self::GarbledClick(_)
            | Self::OddClick(_)
            | Self::Analytics(_)
            | Self::ForeignAnalytics(_)
            | Self::ForgedSession(_)
            | Self::Cross(_)
            | Self::Campaign(_) => None,
        }
    }

    /// Whether an integration may count it among the reads of its pages, though it is no page view.
    #[must_use]
    pub const fn may_count_as_read(&self) -> bool {
        match self {
            Self::Head(_) | Self::Nobody(_) | Self::WrongMethod(_) => true,
            Self::Page(_)
            | Self::Click(_)
            | Self::GarbledClick(_)
            | Self::OddClick(_)
            | Self::Analytics(_)
            | Self::ForeignAnalytics(_)
            | Self::ForgedSession(_)
            | Self::Cross(_)
            | Self::Campaign(_) => false,
        }
    }

    /// The id of what is no proper click and may have been taken for one.
    #[must_use]
    pub fn odd_event_id(&self) -> Option<&str> {
        match self {
            Self::GarbledClick(oddity) | Self::OddClick(oddity) => oddity.event_id.as_deref(),
            Self::Cross(cross) => cross.event_id.as_deref(),
            Self::Page(_)
            | Self::Click(_)
            | Self::Head(_)
            | Self::Nobody(_)
            | Self::WrongMethod(_)
            | Self::Analytics(_)
            | Self::ForeignAnalytics(_)
            | Self::ForgedSession(_)
            | Self::Campaign(_) => None,
        }
    }

    /// What a witness's story says of it after the status.
    #[must_use]
    pub fn story(&self) -> String {
        match self {
            Self::Page(view) | Self::Head(view) => {
                let campaign =
                    if view.campaign { ", from a campaign's link (utm parameters)" } else { "" };
                let prefetch = if view.prefetch { ", asked ahead" } else { "" };
                let version = view.version.as_deref().unwrap_or("no version");
                format!(", {version}{campaign}{prefetch}")
            }
            Self::Click(_) => String::new(),
            Self::Nobody(odd)
            | Self::WrongMethod(odd)
            | Self::GarbledClick(odd)
            | Self::OddClick(odd) => format!(", {}", odd.kind),
            Self::Analytics(look) | Self::ForeignAnalytics(look) | Self::ForgedSession(look) => {
                let shown = match look.owners.join(" and ").as_str() {
                    "" => String::new(),
                    owners => format!(", names links of {owners}"),
                };
                format!(", {}{shown}", look.session.words())
            }
            Self::Campaign(campaign) => {
                format!(", {}", so_many(campaign.links.len(), "link", "links"))
            }
            Self::Cross(cross) => {
                let allowed = cross.acao.as_deref().unwrap_or("nobody");
                format!(
                    ", {:?} of the {} for {}, allows {allowed}",
                    cross.asked, cross.route, cross.origin
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_says_how_a_page_was_come_to() {
        let plain = PageView { version: Some("v1".into()), ..PageView::default() };
        let lured = PageView { campaign: true, prefetch: true, ..plain.clone() };
        assert_eq!(Did::Page(plain).story(), ", v1");
        assert_eq!(
            Did::Page(lured).story(),
            ", v1, from a campaign's link (utm parameters), asked ahead"
        );
        assert_eq!(Did::Nobody(Oddity::of("favicon.ico")).story(), ", favicon.ico");
    }
}
