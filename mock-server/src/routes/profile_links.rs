//! `GET /v1/profiles/{handle}/links`: a creator's links in pages, with opaque cursors.

use super::listing::listing;
use super::{Answers, Call, Reply};

pub(super) struct ProfileLinks;

impl Answers for ProfileLinks {
    fn scope(&self) -> Option<&'static str> {
        Some("links:read")
    }

    fn answer(&self, call: &Call<'_>) -> Reply {
        listing(call, call.ticket.handle.as_deref().unwrap_or_default())
    }
}
