//! `GET /v1/me`: the account behind the key, its scopes and the key's age. It needs no scope.

use super::{Call, Handler, Reply};
use crate::api::bodies::{self, json};
use crate::keyring::Account;
use crate::seed;
use crate::world::World;

pub(super) struct Me;

impl Handler for Me {
    fn answer(&self, call: &Call<'_>) -> Reply {
        let world = call.world;
        let Some(key) = call.ticket.token.valid() else {
            return Reply::error(401, "unauthorized", "a valid bearer key is needed");
        };
        let handle = call.own_handle().unwrap_or_else(|| "integration".to_owned());
        let id = match &key.account {
            Account::Every => format!("acc_{}", digits(world, &["me", "account"])),
            Account::One(handle) => creator_id(world, handle),
        };
        let created_at = key.created_at.clone();
        let shown = bodies::Key { id: key.id.clone(), environment: key.environment, created_at };
        let scopes = key.scopes.clone();
        let account = bodies::Account { id, handle, plan: "pro", scopes, key: shown };
        Reply::json(200, json(account)).with_nonce(&world.nonce(call.ticket.id))
    }
}

/// The id that the creator's account has everywhere; some other for a handle that nobody has.
fn creator_id(world: &World, handle: &str) -> String {
    let known = world.population.creator(world.seed, handle).map(|creator| creator.id);
    known.unwrap_or_else(|| format!("acc_{}", digits(world, &["nobody", handle])))
}

fn digits(world: &World, labels: &[&str]) -> String {
    hex::encode(&seed::derive(world.seed, labels)[..6])
}
