//! What Linktree says of a creator's clicks, and how it is asked.

use crate::{
    clock,
    linktree::{Call, Failure, Route},
    upstream::Upstream,
};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Clicks of one creator in a range of days.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Figures {
    /// Whose.
    pub handle: String,
    /// The first day, UTC.
    pub from: String,
    /// The last day, UTC.
    pub to: String,
    /// All clicks of these days.
    pub total: u64,
    /// Clicks by link and day.
    #[serde(rename(deserialize = "data"))]
    pub links: Vec<LinkFigures>,
}

impl Figures {
    /// No clicks at all.
    pub fn none_of(handle: &str) -> Self {
        let (from, to) = (String::new(), String::new());
        Self { handle: handle.to_owned(), from, to, total: 0, links: Vec::new() }
    }
}

/// Clicks of one link on one day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct LinkFigures {
    /// The link.
    pub link_id: String,
    /// The day, UTC.
    pub date: String,
    /// How many.
    pub clicks: u64,
}

/// Asks for the last days, today included.
///
/// # Errors
/// With the failure of the last attempt.
pub async fn ask(
    upstream: &Upstream,
    handle: &str,
    days: u32,
    deadline: Instant,
) -> Result<Figures, Failure> {
    let now = Timestamp::try_from(clock::wall()).map_err(|_| Failure::Malformed)?;
    let today = now.to_zoned(TimeZone::UTC).date();
    let first = today.saturating_sub(i64::from(days.saturating_sub(1)).days());
    let mut call = Call::new(Route::Analytics, format!("/analytics/{handle}"));
    call.query = vec![("from", first.to_string()), ("to", today.to_string())];
    call.deadline = Some(deadline);
    let answer = upstream.read(&call).await?;
    let figures: Figures = serde_json::from_slice(&answer.body).map_err(|_| Failure::Malformed)?;
    // An answer that is somebody else's is shown to nobody.
    if figures.handle == handle { Ok(figures) } else { Err(Failure::Malformed) }
}
