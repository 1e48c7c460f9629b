//! `GET /v1/health`: up, for anybody.

use super::{Answers, Call, Reply};
use serde_json::json;

pub(super) struct Health;

impl Answers for Health {
    fn is_public(&self) -> bool {
        true
    }

    fn answer(&self, _call: &Call<'_>) -> Reply {
        Reply::json(200, json!({ "status": "ok" }))
    }
}
