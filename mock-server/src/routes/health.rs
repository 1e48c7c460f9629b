//! `GET /v1/health`: up, for anybody.

use super::{Call, Handler, Reply};
use crate::api::bodies::{self, json};

pub(super) struct Health;

impl Handler for Health {
    fn answer(&self, _call: &Call<'_>) -> Reply {
        Reply::json(200, json(bodies::Health { status: "ok" }))
    }
}
