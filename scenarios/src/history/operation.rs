//! A front-door operation: who did what and when, and how it was answered.

use super::did::{Click, Did, PageView};
use super::look::Look;
use mock_server::clock::Moment;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A front-door operation of a visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation<'a> {
    /// Index of the arrival in the schedule; all that one visitor does has the same.
    pub arrival: u64,
    /// The creator visited.
    #[serde(borrow)]
    pub handle: Cow<'a, str>,
    /// When it should have been sent.
    pub intended: Moment,
    /// When it was sent.
    pub sent: Moment,
    /// First byte of the answer's head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Moment>,
    /// Last byte, or when it was given up.
    pub last: Moment,
    /// The status; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no whole answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<OpFailure>,
    /// What was done, and what is noted of it.
    #[serde(borrow)]
    pub did: Did<'a>,
}

impl<'a> Operation<'a> {
    /// A whole answer with a 2xx status.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.failure.is_none() && self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// What is noted of a page view; none of anything else.
    #[must_use]
    pub const fn page(&self) -> Option<&PageView<'a>> {
        if let Did::Page(view) = &self.did { Some(view) } else { None }
    }

    /// What is noted of a click; none of anything else.
    #[must_use]
    pub const fn click(&self) -> Option<&Click<'a>> {
        if let Did::Click(click) = &self.did { Some(click) } else { None }
    }

    /// What is noted of a look at figures, by whomever; none of anything else.
    #[must_use]
    pub const fn look(&self) -> Option<&Look<'a>> {
        match &self.did {
            Did::Analytics(look) | Did::ForeignAnalytics(look) | Did::ForgedSession(look) => {
                Some(look)
            }
            _ => None,
        }
    }

    /// The upstream version that a page shows.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.page()?.version.as_deref()
    }

    /// The id of a click.
    #[must_use]
    pub fn event_id(&self) -> Option<&str> {
        self.click().map(|click| &*click.event_id)
    }
}

/// Why a front-door operation has no whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpFailure {
    /// The visitor gave up.
    Timeout,
    /// No connection.
    Connect,
    /// The connection broke, or the answer was not HTTP.
    Broken,
}
