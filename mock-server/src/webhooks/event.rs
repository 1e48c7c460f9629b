//! What a webhook may be about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The events of the contract.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum WebhookEvent {
    /// A click has counted.
    #[serde(rename = "link.clicked")]
    LinkClicked,
    /// A link has changed.
    #[serde(rename = "link.updated")]
    LinkUpdated,
    /// A creator has changed the page.
    #[serde(rename = "profile.updated")]
    ProfileUpdated,
}

/// A word that is no event of the contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to find the event {name:?}: choose from link.clicked, link.updated and profile.updated"
)]
pub struct UnknownEvent {
    /// The word.
    pub name: String,
}

impl WebhookEvent {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::LinkClicked, Self::LinkUpdated, Self::ProfileUpdated];

    /// As it stands in a message's `type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinkClicked => "link.clicked",
            Self::LinkUpdated => "link.updated",
            Self::ProfileUpdated => "profile.updated",
        }
    }

    /// One bit for each event, so that a set of them is one atomic byte.
    pub(super) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for WebhookEvent {
    type Err = UnknownEvent;

    fn from_str(name: &str) -> Result<Self, UnknownEvent> {
        let known = Self::ALL.into_iter().find(|event| event.name() == name);
        known.ok_or_else(|| UnknownEvent { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_json_and_parser_agree() {
        for event in WebhookEvent::ALL {
            assert_eq!(event.name().parse(), Ok(event));
            assert_eq!(serde_json::to_value(event).unwrap(), event.name());
        }
        let error = "link.deleted".parse::<WebhookEvent>().unwrap_err().to_string();
        for event in WebhookEvent::ALL {
            assert!(error.contains(event.name()), "{error}");
        }
    }
}
