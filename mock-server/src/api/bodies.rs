//! What is sent and answered, as JSON.

use crate::keyring::Environment;
use crate::webhooks::WebhookEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::webhooks::Registration;
pub use crate::world::idempotency::Click;
pub use crate::world::link_change::LinkChange;

/// That Linktree is up.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Health {
    /// `ok`.
    pub status: &'static str,
}

/// The account behind a key.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Account {
    /// The account's id.
    pub id: String,
    /// Its creator's handle.
    pub handle: String,
    /// What it pays for.
    pub plan: &'static str,
    /// What the key is good for.
    pub scopes: Vec<String>,
    /// The key itself.
    pub key: Key,
}

/// What is told of a key.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Key {
    /// Its id, which is no secret.
    pub id: String,
    /// Production's or staging's; a key is refused at the other's address.
    pub environment: Environment,
    /// When it was made, RFC 3339.
    pub created_at: String,
}

/// A creator's page without its links.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Profile {
    /// 1 to 30 of a-z, 0-9, dot, underscore and hyphen.
    pub handle: String,
    /// The name that the page shows, as the creator wrote it: escape it.
    pub display_name: String,
    /// The text below it, as the creator wrote it: escape it.
    pub bio: String,
    /// The address of a picture.
    pub avatar_url: String,
    /// The creator's address, which no page and no log shows.
    pub email: String,
    /// When it was last changed, RFC 3339.
    pub updated_at: String,
}

/// A link of a creator's page.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Link {
    /// Its id.
    pub id: String,
    /// What the page shows, as the creator wrote it: escape it.
    pub title: String,
    /// Where it leads, as the creator wrote it: `javascript:` is possible.
    pub url: String,
    /// Pages show links by position, from 0; there may be gaps.
    pub position: u32,
    /// Whether pages show it.
    pub is_active: bool,
    /// When it was last changed, RFC 3339.
    pub updated_at: String,
}

/// One page of a list of links.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LinkPage {
    /// The links.
    pub data: Vec<Link>,
    /// What the next page is asked for with; null on the last one.
    pub cursor: Option<String>,
    /// Whether there is a next page, however few links this one has.
    pub has_more: bool,
}

/// Many links to write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkBatch {
    /// The links.
    pub items: Vec<LinkItem>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkItem {
    /// The link's id.
    pub id: String,
    /// Its new title.
    pub title: String,
    /// Its new address, http or https.
    pub url: String,
}

/// What became of each link of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LinkResults {
    /// In the order of the items.
    pub results: Vec<LinkResult>,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LinkResult {
    /// The link's id.
    pub id: String,
    /// As if the link had been written alone; 200 is written.
    pub status: u16,
    /// The page's version after the batch, where the link was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why it was not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Complaint>,
}

/// Many clicks to report.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct ClickBatch {
    /// The clicks.
    pub events: Vec<Click>,
}

/// That a click was taken.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClickAccepted {
    /// The click's id.
    pub event_id: String,
    /// `accepted`.
    pub status: &'static str,
}

/// What became of each click of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClickResults {
    /// In the order of the events.
    pub results: Vec<ClickResult>,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClickResult {
    /// The click's id.
    pub event_id: String,
    /// As if the click had been sent alone; 202 is taken.
    pub status: u16,
}

/// Clicks that counted.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Analytics {
    /// Whose.
    pub handle: String,
    /// The first day.
    pub from: Option<String>,
    /// The last day, included.
    pub to: Option<String>,
    /// Links and days that had clicks.
    pub data: Vec<DayOfLink>,
    /// All clicks; those on links that are gone or never were are in here alone.
    pub total: u64,
}

/// The clicks of one link on one day.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DayOfLink {
    /// The link's id.
    pub link_id: String,
    /// The day (UTC), such as 2026-01-31.
    pub date: String,
    /// How many.
    pub clicks: u64,
}

/// Who wants to hear of what.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct RegistrationRequest {
    /// Where deliveries go.
    pub url: String,
    /// What to hear of: at least one.
    #[schemars(with = "Vec<WebhookEvent>")]
    pub events: Vec<String>,
    /// What signs deliveries to this address; the account's secret without it.
    pub secret: Option<String>,
}

/// Everybody who wants to hear of something.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Registrations {
    /// The registrations.
    pub data: Vec<Registration>,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Complaint {
    /// A word for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// The body of an error.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Error {
    /// What is wrong.
    pub error: Complaint,
}

/// The body of an error as RFC 9457 has it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    /// `about:blank`.
    pub r#type: &'static str,
    /// A word for programs.
    pub title: String,
    /// The status once more.
    pub status: u16,
    /// A sentence for people.
    pub detail: String,
}

/// The JSON of a body.
pub(crate) fn json(body: impl Serialize) -> Value {
    serde_json::to_value(body).expect("bodies have texts for keys")
}
