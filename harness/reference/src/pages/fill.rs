//! Fills a page: the profile, then all its links by cursor; or has the known page vouched for.

use super::{freshness::Freshness, policy::PagePolicy};
use crate::{
    clock,
    linktree::{Answer, Call, Failure, Route},
    logs::LogPolicy,
    upstream::Upstream,
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::HashSet, time::Duration};

/// Links on a page of their list, at the most: as many as the contract allows.
const LIMIT: usize = 100;
/// How often a list is begun, where its cursors expire each time.
const MOST_BEGINNINGS: u32 = 3;

/// A link of a page.
#[derive(Clone, Debug, Deserialize)]
pub struct Link {
    /// An opaque id.
    pub id: String,
    /// What to show.
    pub title: String,
    /// Where it leads, as the creator wrote it.
    pub url: String,
    /// Its place.
    #[serde(default)]
    pub position: i64,
    /// Whether it is shown.
    #[serde(default)]
    pub is_active: bool,
}

/// A wholly filled page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Version of the profile.
    pub version: String,
    /// Name to show.
    pub display_name: String,
    /// Text to show.
    pub bio: String,
    /// Active links in order.
    pub links: Vec<Link>,
    /// Validator of the profile.
    pub etag: Option<String>,
    /// Its life.
    pub freshness: Freshness,
}

#[derive(Deserialize)]
struct Profile {
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    bio: Option<String>,
    version: serde_json::Value,
}

#[derive(Deserialize)]
struct LinkPage {
    data: Vec<Link>,
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    has_more: bool,
}

/// What a fill needs to know besides the handle.
pub struct Filler<'a> {
    /// Whom to ask.
    pub upstream: &'a Upstream,
    /// Life on errors, where the answer does not say.
    pub stale_if_error: Duration,
    /// What is decided.
    pub policy: PagePolicy,
    /// What the log says.
    pub log: LogPolicy,
}

impl Filler<'_> {
    /// Fills the page of `handle`; a 304 vouches for the whole `known` page in one call, since
    /// the profile's version covers its links.
    ///
    /// # Errors
    /// With the failure of the call that failed for good. 404 of the profile: no such handle.
    pub async fn fill(&self, handle: &str, known: Option<&Page>) -> Result<Page, Failure> {
        let calls = (self.policy.calls)(known.is_some());
        let mut reserved = self.upstream.reserve(Route::Profile, calls).await?;
        let mut call = Call::new(Route::Profile, format!("/profiles/{handle}"));
        call.if_none_match = known.and_then(|page| page.etag.clone());
        let answer = self.read(call).await?;
        reserved.spent();
        (self.policy.filled)(self.upstream, handle).await;
        let freshness = Freshness::read(
            &answer.headers,
            clock::now(),
            self.stale_if_error,
            self.policy.freshness,
        );
        if answer.status == 304 {
            let known = known.ok_or(Failure::Malformed)?;
            return Ok(Page { freshness, ..known.clone() });
        }
        let etag = answer.headers.get("etag").and_then(|value| value.to_str().ok());
        let etag = etag.map(str::to_owned);
        let profile: Profile = parse(&answer)?;
        // Only the profile's 404 means that there is no such handle.
        let links = self.links(handle).await.map_err(|failure| match failure {
            Failure::Status(404) => Failure::Malformed,
            other => other,
        })?;
        let page = Page {
            version: match profile.version {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            },
            display_name: profile.display_name,
            bio: profile.bio.unwrap_or_default(),
            links,
            etag,
            freshness,
        };
        (self.log.page_filled)(handle, &page.version, &answer.body);
        Ok(page)
    }

    /// All links, page by page of their list, each asked for with the cursor of the one before, to the page
    /// behind which there are no more: a page may be shorter than asked for, or even empty, before that.
    ///
    /// What was read goes with a cursor that expires: the list is begun anew. A list that cannot be
    /// followed to its end is no list.
    async fn links(&self, handle: &str) -> Result<Vec<Link>, Failure> {
        let (mut links, mut seen) = (Vec::new(), HashSet::new());
        let (mut cursor, mut beginnings): (Option<String>, u32) = (None, 1);
        for _ in 0..self.policy.link_parts {
            let mut call = Call::new(Route::Links, format!("/profiles/{handle}/links"));
            call.query.push(("limit", LIMIT.to_string()));
            call.query
                .extend(cursor.clone().map(|cursor| (self.policy.next_part)(cursor, links.len())));
            let part: LinkPage = match self.read(call).await {
                Err(Failure::Status(410)) if cursor.is_some() && beginnings < MOST_BEGINNINGS => {
                    (cursor, beginnings) = (None, beginnings + 1);
                    (self.policy.begin_anew)(&mut links);
                    seen.clear();
                    continue;
                }
                answered => parse(&answered?)?,
            };
            let is_last = (self.policy.is_last)(part.has_more, part.data.len());
            // A link that moved while we were reading may come twice.
            links.extend(part.data.into_iter().filter(|link| seen.insert(link.id.clone())));
            if is_last {
                return self.shown(links);
            }
            // There is more, so there is a way to it, which is not the way by which we came.
            let next = part.cursor.filter(|next| Some(next) != cursor.as_ref());
            cursor = Some(next.ok_or(Failure::Malformed)?);
        }
        (self.policy.without_end)(links).and_then(|links| self.shown(links))
    }

    /// The active links, in order.
    fn shown(&self, mut links: Vec<Link>) -> Result<Vec<Link>, Failure> {
        links.retain(|link| link.is_active);
        links.sort_by_key(|link| link.position);
        (self.policy.links)(links)
    }

    async fn read(&self, mut call: Call) -> Result<Answer, Failure> {
        let (last, earlier) =
            (self.policy.prefixes)(call.route).split_last().expect("one at least");
        for prefix in earlier {
            call.prefix = prefix;
            match self.upstream.read(&call).await {
                Err(Failure::Status(404)) => {}
                result => return result,
            }
        }
        call.prefix = last;
        self.upstream.read(&call).await
    }
}

fn parse<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    serde_json::from_slice(&answer.body).map_err(|_| Failure::Malformed)
}
