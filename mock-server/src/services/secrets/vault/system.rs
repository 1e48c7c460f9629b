//! `sys/`: what is asked of the server itself. It is initialised, unsealed, and alone.

use super::Caller;
use super::ask::{Ask, Operation, pairs};
use super::reply::Reply;
use crate::clock::Clock;
use crate::keyring::{Standing, uuid};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use std::time::UNIX_EPOCH;

/// Where clients look which version of KV is mounted.
pub(super) const MOUNTS: &str = "sys/internal/ui/mounts";

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "+windthrow");

const CLUSTER: &str = "windthrow";

/// The server's state, which everybody may ask for; none for another path.
pub(super) fn state(caller: &Caller<'_>, path: &str, parts: &Parts) -> Option<Reply> {
    let method = &parts.method;
    let in_root = |reply: fn(&Caller<'_>, &Parts) -> Reply| match caller.namespace() {
        None => reply(caller, parts),
        Some(_) => Reply::error(StatusCode::BAD_REQUEST, "operation unavailable in namespaces"),
    };
    Some(match path {
        "sys/health" if [Method::GET, Method::HEAD].contains(method) => in_root(health),
        "sys/seal-status" if method == Method::GET => seal_status(caller),
        "sys/init" if method == Method::GET => {
            in_root(|_, _| Reply::json(StatusCode::OK, json!({ "initialized": true })))
        }
        "sys/init" if [Method::POST, Method::PUT].contains(method) => {
            in_root(|_, _| Reply::error(StatusCode::BAD_REQUEST, "Vault is already initialized"))
        }
        "sys/leader" if method == Method::GET => {
            Reply::json(StatusCode::OK, json!({ "ha_enabled": false }))
        }
        "sys/health" | "sys/seal-status" | "sys/init" | "sys/leader" => Reply::no_such_method(),
        _ => return None,
    })
}

fn health(caller: &Caller<'_>, parts: &Parts) -> Reply {
    // Load balancers choose the status that an active server has.
    let query = pairs(parts.uri.query().unwrap_or_default());
    let asked = query.iter().find(|(name, _)| name == "activecode").map(|(_, code)| code.as_str());
    let code = asked.filter(|code| !code.is_empty()).unwrap_or("200");
    let Some(status) = code.parse().ok().and_then(|code| StatusCode::from_u16(code).ok()) else {
        return Reply::bad_request();
    };
    let now = Clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let health = json!({
        "initialized": true,
        "sealed": false,
        "standby": false,
        "replication_performance_mode": "disabled",
        "replication_dr_mode": "disabled",
        "server_time_utc": now,
        "version": VERSION,
        "cluster_name": CLUSTER,
        "cluster_id": cluster_id(caller),
    });
    Reply::json(status, health)
}

fn seal_status(caller: &Caller<'_>) -> Reply {
    let status = json!({
        "type": "shamir",
        "initialized": true,
        "sealed": false,
        "t": 1,
        "n": 1,
        "progress": 0,
        "nonce": "",
        "recovery_seal": false,
        "version": VERSION,
        "commit_date": "",
        "migration": false,
        "cluster_name": CLUSTER,
        "cluster_id": cluster_id(caller),
        "storage_type": "inmem",
    });
    Reply::json(StatusCode::OK, status)
}

fn cluster_id(caller: &Caller<'_>) -> String {
    uuid(caller.seed(), "vault-cluster", "")
}

/// What is mounted: everything that the token sees, or what a path lies in.
pub(super) fn mounts(caller: &Caller<'_>, ask: &Ask) -> Reply {
    let path = ask.path.strip_prefix(MOUNTS).unwrap_or_default();
    match (ask.operation, path) {
        (Operation::Read, "") => all(caller),
        (Operation::Read, "/") | (Operation::List, "") => {
            Reply::error(StatusCode::NOT_FOUND, "unsupported path")
        }
        (Operation::Read, path) => {
            if caller.lease().is_none() {
                return Reply::denied();
            }
            let path = format!("{}/", path.trim_matches('/'));
            let within = |mount: &&Mount| path.starts_with(&mount.reached_at());
            let Some(mount) = MOUNTED.iter().find(within) else {
                let what = format!(
                    "preflight capability check returned 403, please ensure client's policies \
                     grant access to path {path:?}"
                );
                return Reply::error(StatusCode::FORBIDDEN, &what);
            };
            let mut data = mount.described(caller);
            data.insert("path".to_owned(), mount.path.into());
            Reply::data(caller.request_id(), data.into())
        }
        _ => Reply::unsupported(),
    }
}

fn all(caller: &Caller<'_>) -> Reply {
    let sees = match caller.standing() {
        None => false,
        Some(Standing::Valid { .. }) => true,
        Some(_) => return Reply::denied(),
    };
    let of = |auth: bool| -> Map<String, Value> {
        let seen = MOUNTED.iter().filter(|mount| sees && (mount.kind == "token") == auth);
        seen.map(|mount| (mount.path.to_owned(), mount.described(caller).into())).collect()
    };
    Reply::data(caller.request_id(), json!({ "auth": of(true), "secret": of(false) }))
}

/// Something that is mounted.
struct Mount {
    /// Below `auth/`, for what hands out tokens.
    path: &'static str,
    kind: &'static str,
    what: &'static str,
}

const MOUNTED: [Mount; 5] = [
    Mount { path: "token/", kind: "token", what: "tokens" },
    Mount { path: "cubbyhole/", kind: "cubbyhole", what: "what each token keeps for itself" },
    Mount { path: "identity/", kind: "identity", what: "who logs in" },
    Mount { path: "secret/", kind: "kv", what: "the credentials of the run" },
    Mount { path: "sys/", kind: "system", what: "the server itself" },
];

impl Mount {
    fn reached_at(&self) -> String {
        if self.kind == "token" { format!("auth/{}", self.path) } else { self.path.to_owned() }
    }

    fn described(&self, caller: &Caller<'_>) -> Map<String, Value> {
        let mut config = Map::new();
        config.insert("default_lease_ttl".into(), 0.into());
        config.insert("force_no_cache".into(), false.into());
        config.insert("max_lease_ttl".into(), 0.into());
        let options = if self.kind == "kv" { json!({ "version": "2" }) } else { Value::Null };
        let mut described = Map::new();
        let mut set = |name: &str, value: Value| described.insert(name.to_owned(), value);
        match self.kind {
            "token" => config.insert("token_type".into(), "default-service".into()),
            "identity" => {
                config.insert("passthrough_request_headers".into(), json!(["Authorization"]))
            }
            "system" => config.insert("passthrough_request_headers".into(), json!(["Accept"])),
            "kv" => set("deprecation_status", "supported".into()),
            _ => None,
        };
        let id = uuid(caller.seed(), "vault-mount", self.path);
        set("accessor", format!("{}_{}", self.kind, &id[..8]).into());
        set("config", config.into());
        set("description", self.what.into());
        set("external_entropy_access", false.into());
        set("local", (self.kind == "cubbyhole").into());
        set("options", options);
        set("plugin_version", "".into());
        set("running_plugin_version", format!("v{VERSION}").into());
        set("running_sha256", "".into());
        set("seal_wrap", (self.kind == "system").into());
        set("type", self.kind.into());
        set("uuid", id.into());
        described
    }
}
