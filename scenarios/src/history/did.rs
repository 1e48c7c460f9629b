//! What a visitor did, one variant for each action, carrying what that action notes.

use super::BodyHash;
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

impl Did<'_> {
    /// The action that was done.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Page(_) => Action::Page,
            Self::Click(_) => Action::Click,
        }
    }

    /// The body that the visitor was shown; those of other answers are not recorded.
    #[must_use]
    pub const fn body(&self) -> Option<BodyHash> {
        match self {
            Self::Page(view) => view.body,
            Self::Click(_) => None,
        }
    }

    /// What a witness's story says of it after the status.
    #[must_use]
    pub fn story(&self) -> String {
        match self {
            Self::Page(view) => format!(", {}", view.version.as_deref().unwrap_or("no version")),
            Self::Click(_) => String::new(),
        }
    }
}
