//! Everything outside the contract: 404, but recorded like the rest.

use super::{Answers, Call, Reply};

pub(super) struct Unknown;

impl Answers for Unknown {
    fn answer(&self, _call: &Call<'_>) -> Reply {
        Reply::error(404, "not_found", "the contract has no such route")
    }
}
