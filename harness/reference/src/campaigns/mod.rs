//! Campaigns: hundreds of link changes at once, taken in durably, sent in batches, each until it is made.
//!
//! There is one row for each link, and the last change of it is all that counts: what an earlier campaign
//! wanted is never sent after what a later one wants.

pub mod delivery;
mod store;
mod wire;

pub use store::{ChangeStore, StoreError};

use crate::linktree::is_handle;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The most links of one campaign.
const MOST: usize = 2_000;
/// The longest body that holds so many.
pub const LARGEST: usize = 8 << 20;

/// What one link shall say, in the shape in which Linktree takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The link.
    pub id: String,
    /// Its new title.
    pub title: String,
    /// Its new address.
    pub url: String,
}

/// A change that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Of all changes of a link the last has the highest number.
    pub number: i64,
    /// What shall be changed.
    pub change: Change,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Linktree has it.
    Made,
    /// Linktree refused it for good, with this status; it is kept for a person.
    Refused(u16),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Campaign {
    handle: String,
    links: Vec<Change>,
}

/// Reads the body of `POST /api/campaigns`; of two changes of one link the last counts.
///
/// # Errors
/// With what is wrong.
pub fn parse(body: &[u8]) -> Result<Vec<Change>, &'static str> {
    let campaign: Campaign = serde_json::from_slice(body).map_err(|_| "body")?;
    if !is_handle(&campaign.handle) {
        return Err("handle");
    }
    if !(1..=MOST).contains(&campaign.links.len()) {
        return Err("number of links");
    }
    let is_id = |id: &str| {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        (1..=128).contains(&id.len()) && id.bytes().all(letters)
    };
    let is_address = |url: &str| {
        url.len() <= 2_048
            && reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    };
    for link in &campaign.links {
        if !is_id(&link.id) {
            return Err("id of a link");
        }
        if link.title.trim().is_empty() || link.title.len() > 2_048 {
            return Err("title of a link");
        }
        if !is_address(&link.url) {
            return Err("url of a link");
        }
    }
    let mut known = HashSet::new();
    let mut last: Vec<Change> = campaign.links.into_iter().rev().collect();
    last.retain(|link| known.insert(link.id.clone()));
    last.reverse();
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn check(path: &str, value: Value, expected: Result<usize, &'static str>) {
        let link = json!({ "id": "lnk_1", "title": "t", "url": "https://example.org/" });
        let mut body = json!({ "handle": "ann", "links": [link] });
        *body.pointer_mut(path).unwrap() = value.clone();
        let parsed = parse(body.to_string().as_bytes()).map(|links| links.len());
        assert_eq!(parsed, expected, "{path} {value}");
    }

    #[test]
    fn each_field_is_checked() {
        check("/handle", json!("bob"), Ok(1));
        check("/handle", json!("BOB"), Err("handle"));
        check("/links", json!([]), Err("number of links"));
        check("/links/0", json!({ "id": "l", "title": "t" }), Err("body"));
        check("/links/0/id", json!("../x"), Err("id of a link"));
        check("/links/0/title", json!(" "), Err("title of a link"));
        check("/links/0/url", json!("javascript:alert(1)"), Err("url of a link"));
    }

    #[test]
    fn of_two_changes_of_one_link_the_last_counts() {
        let change = |id: &str, title: &str| Change {
            id: id.into(),
            title: title.into(),
            url: "https://example.org/".into(),
        };
        let links = [change("a", "1"), change("b", "1"), change("a", "2")];
        let body = json!({ "handle": "ann", "links": links }).to_string();
        assert_eq!(parse(body.as_bytes()).unwrap(), [change("b", "1"), change("a", "2")]);
    }
}
