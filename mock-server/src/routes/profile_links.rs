//! `GET /v1/profiles/{handle}/links`: a creator's links in pages, with opaque cursors.

use super::listing::listing;
use super::{Call, Handler, Reply};

pub(super) struct ProfileLinks;

impl Handler for ProfileLinks {
    fn answer(&self, call: &Call<'_>) -> Reply {
        listing(call, call.ticket.handle.as_deref().unwrap_or_default())
    }
}
