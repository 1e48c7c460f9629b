//! Logins, and what a token may ask about itself.
//!
//! Any pair of role and secret logs in, as does any role with a JSON Web Token that looks like one: a
//! service brings names of its own. Only who names the run's role, or shows its secret, must know both.

use super::ask::{Ask, Operation};
use super::reply::Reply;
use super::{Caller, durations, jwt};
use crate::clock::Clock;
use crate::keyring::{Holder, Lease, uuid};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

const POLICIES: [&str; 2] = ["default", "linktree"];

/// `auth/approle/login`.
pub(super) fn approle(caller: &Caller<'_>, ask: &Ask) -> Reply {
    if ask.operation == Operation::Patch {
        return Reply::unsupported();
    }
    // A real server looks the role up before it looks at the method, and calls all that goes wrong
    // there its own fault.
    let broken = |why: &str| Reply::error(StatusCode::INTERNAL_SERVER_ERROR, why);
    let (role, secret) = match (ask.fields.text("role_id"), ask.fields.text("secret_id")) {
        (Ok(role), Ok(secret)) => (role, secret),
        (Err(why), _) | (_, Err(why)) => return broken(&why),
    };
    if role.is_empty() {
        return broken("missing role_id");
    }
    let refused = |why: &str| Reply::error(StatusCode::BAD_REQUEST, why);
    if secret.is_empty() {
        return refused("missing secret_id");
    }
    let leases = &caller.context().keys().leases;
    if (role == leases.role_id()) != (secret == leases.secret_id()) {
        return refused("invalid role or secret ID");
    }
    let metadata = BTreeMap::from([("role_name", "linktree".to_owned())]);
    let display_name = "approle".to_owned();
    logged_in(caller, Holder { path: "auth/approle/login", display_name, metadata })
}

/// `auth/kubernetes/login`.
pub(super) fn kubernetes(caller: &Caller<'_>, ask: &Ask) -> Reply {
    if ask.operation != Operation::Update {
        return Reply::unsupported();
    }
    let refused = |why: &str| Reply::error(StatusCode::BAD_REQUEST, why);
    let (role, token) = match (ask.fields.text("role"), ask.fields.text("jwt")) {
        (Ok(role), Ok(token)) => (role, token),
        (Err(why), _) | (_, Err(why)) => return refused(&why),
    };
    if role.is_empty() {
        return refused("missing role");
    }
    if token.is_empty() {
        return refused("missing jwt");
    }
    let account = match jwt::account(&token, unix_s(Clock::wall())) {
        Ok(account) => account,
        Err(why) => {
            return Reply::error(StatusCode::FORBIDDEN, &format!("permission denied: {why}"));
        }
    };
    let display_name = format!("kubernetes-{}-{}", account.namespace, account.name);
    let metadata = BTreeMap::from([
        ("role", role),
        ("service_account_name", account.name),
        ("service_account_namespace", account.namespace),
        ("service_account_secret_name", account.secret_name),
        ("service_account_uid", account.uid),
    ]);
    logged_in(caller, Holder { path: "auth/kubernetes/login", display_name, metadata })
}

fn logged_in(caller: &Caller<'_>, holder: Holder) -> Reply {
    let lease = caller.context().keys().log_in(holder, caller.at());
    Reply::auth(caller.request_id(), auth(caller, &lease), None)
}

/// Whatever a valid token asks below `auth`.
pub(super) fn own(caller: &Caller<'_>, ask: &Ask, lease: &Lease) -> Reply {
    let leases = &caller.context().keys().leases;
    match (ask.path.as_str(), ask.operation) {
        ("auth/token/lookup-self", Operation::Read) => {
            Reply::data(caller.request_id(), lookup(caller, lease))
        }
        ("auth/token/renew-self", Operation::Update) => renew(caller, ask, lease),
        ("auth/token/revoke-self", Operation::Update) => {
            leases.revoke(&lease.token, caller.at());
            Reply::done()
        }
        _ => Reply::forbidden(),
    }
}

fn renew(caller: &Caller<'_>, ask: &Ask, lease: &Lease) -> Reply {
    let wanted = match durations::read(ask.fields.get("increment")) {
        Ok(wanted) => wanted,
        Err(why) => {
            let what = "Field validation failed: error converting input for field \"increment\"";
            return Reply::error(StatusCode::BAD_REQUEST, &format!("{what}: {why}"));
        }
    };
    let leases = &caller.context().keys().leases;
    let Some((lease, capped)) = leases.renew(&lease.token, wanted, caller.at()) else {
        return Reply::denied();
    };
    let warning = capped.then(|| {
        let left = lease.left_s(caller.at());
        format!("the token's longest life leaves {left} s, and no more was given")
    });
    Reply::auth(caller.request_id(), auth(caller, &lease), warning)
}

/// A token as a login or a renewal hands it out.
fn auth(caller: &Caller<'_>, lease: &Lease) -> Value {
    json!({
        "client_token": lease.token,
        "accessor": lease.accessor,
        "policies": POLICIES,
        "token_policies": POLICIES,
        "metadata": lease.metadata,
        "lease_duration": lease.left_s(caller.at()),
        "renewable": true,
        "entity_id": lease.entity_id,
        "token_type": "service",
        "orphan": lease.metadata.is_some(),
        "mfa_requirement": null,
        "num_uses": 0,
    })
}

/// A token as it looks at itself.
fn lookup(caller: &Caller<'_>, lease: &Lease) -> Value {
    let mut data = Map::new();
    let mut set = |name: &str, value: Value| data.insert(name.to_owned(), value);
    set("accessor", lease.accessor.clone().into());
    set("creation_time", unix_s(lease.issued).into());
    set("creation_ttl", lease.first_ttl_s().into());
    set("display_name", lease.display_name.clone().into());
    set("entity_id", lease.entity_id.clone().into());
    set("expire_time", stamp(lease.expires()).into());
    set("explicit_max_ttl", 0.into());
    set("id", lease.token.clone().into());
    set("issue_time", stamp(lease.issued).into());
    if let Some(renewed) = lease.renewed {
        set("last_renewal", stamp(renewed).into());
        set("last_renewal_time", unix_s(renewed).into());
    }
    set("meta", json!(lease.metadata));
    set("num_uses", 0.into());
    set("orphan", lease.metadata.is_some().into());
    set("path", lease.path.into());
    set("policies", json!(POLICIES));
    set("renewable", true.into());
    set("ttl", lease.left_s(caller.at()).into());
    set("type", "service".into());
    Value::Object(data)
}

pub(super) fn stamp(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).unwrap_or_default().to_string()
}

fn unix_s(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl Caller<'_> {
    /// A request's id, another one each time.
    pub(super) fn request_id(&self) -> String {
        uuid(self.seed(), "vault-request", &self.at().0.to_string())
    }
}
