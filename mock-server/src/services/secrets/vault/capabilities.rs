//! `sys/capabilities-self`: what the token may do at some paths.

use super::Caller;
use super::ask::{Ask, Operation};
use super::reply::Reply;
use axum::http::StatusCode;
use serde_json::{Map, Value};

pub(super) const SELF: &str = "sys/capabilities-self";

/// What a valid token may do where it asks.
pub(super) fn of_self(caller: &Caller<'_>, ask: &Ask) -> Reply {
    if ask.operation != Operation::Update {
        return Reply::forbidden();
    }
    let refused = |why: &str| Reply::error(StatusCode::BAD_REQUEST, why);
    let name = if ask.fields.get("paths").is_some() { "paths" } else { "path" };
    let paths = match ask.fields.list(name) {
        Ok(paths) if paths.is_empty() => return refused("paths must be supplied"),
        Ok(paths) if paths.iter().any(String::is_empty) => {
            return refused("1 error occurred:\n\t* missing path\n\n");
        }
        Ok(paths) => paths,
        Err(why) => return refused(&why),
    };
    let mut data = Map::new();
    for path in &paths {
        data.insert(path.clone(), may(path).into());
    }
    if let [only] = &paths[..] {
        data.insert("capabilities".to_owned(), may(only).into());
    }
    // Clients of old find it all beside the envelope as well.
    Reply::data(caller.request_id(), Value::Object(data.clone())).beside(data)
}

fn may(path: &str) -> Vec<&'static str> {
    match path.trim_start_matches('/') {
        path if path.starts_with("secret/") => vec!["list", "read"],
        "auth/token/lookup-self" => vec!["read"],
        "auth/token/renew-self" | "auth/token/revoke-self" => vec!["update"],
        SELF | super::wrapping::UNWRAP => vec!["update"],
        path if path.starts_with("cubbyhole/") => vec!["read"],
        _ => vec!["deny"],
    }
}
