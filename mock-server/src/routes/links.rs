//! `GET /v1/links`: the links of the account that the key belongs to, in pages.

use super::listing::listing;
use super::profile::not_found;
use super::{Call, Handler, Reply};

pub(super) struct Links;

impl Handler for Links {
    fn answer(&self, call: &Call<'_>) -> Reply {
        call.own_handle().map_or_else(not_found, |handle| listing(call, &handle))
    }
}
