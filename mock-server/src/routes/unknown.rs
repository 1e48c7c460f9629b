//! Everything outside the contract: 404, but recorded like the rest.

use super::{Call, Handler, Reply};

pub(super) struct Unknown;

impl Handler for Unknown {
    fn answer(&self, _call: &Call<'_>) -> Reply {
        Reply::error(404, "not_found", "the contract has no such route")
    }
}
