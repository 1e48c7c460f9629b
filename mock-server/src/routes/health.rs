//! `GET /v1/health`: up, for anybody.

use super::{Call, Handler, Reply};
use serde_json::json;

pub(super) struct Health;

impl Handler for Health {
    fn is_public(&self) -> bool {
        true
    }

    fn answer(&self, _call: &Call<'_>) -> Reply {
        Reply::json(200, json!({ "status": "ok" }))
    }
}
