//! What is noted of a campaign: which links it changes, and into what.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What is noted of a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign<'a> {
    /// What becomes of each link.
    #[serde(borrow)]
    pub links: Vec<NewWords<'a>>,
}

/// A link, and what it shall say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWords<'a> {
    /// The link's id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Hash of its new title and address, as [`mock_server::history::exchange::LinkReceipt::payload`].
    #[serde(borrow)]
    pub payload: Cow<'a, str>,
}
