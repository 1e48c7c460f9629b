//! `GET /v1/me`: the account behind the key, its scopes and the key's age.

use super::{Answers, Call, Reply};
use crate::seed;
use serde_json::json;

pub(super) struct Me;

impl Answers for Me {
    fn answer(&self, call: &Call<'_>) -> Reply {
        let world = call.world;
        let digits = |label: &str| hex::encode(&seed::derive(world.seed, &["me", label])[..6]);
        let handle = world
            .population
            .groups
            .first()
            .map_or_else(|| "integration".to_owned(), |group| format!("{}-0001", group.prefix));
        let nonce = world.nonce(call.ticket.id);
        let mut reply = Reply::json(
            200,
            json!({
                "id": format!("acc_{}", digits("account")),
                "handle": handle,
                "plan": "pro",
                "nonce": nonce,
                "scopes": world.profile.keys.scopes,
                "key": {
                    "id": format!("key_{}", digits("key")),
                    "environment": "live",
                    "created_at": world.key_created_at,
                },
            }),
        );
        reply.nonce = Some(nonce);
        reply
    }
}
