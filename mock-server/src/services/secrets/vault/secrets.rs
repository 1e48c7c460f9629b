//! The secrets engine at `secret/`: KV version 2, with the integration's secret and the staging one.

use super::Caller;
use super::ask::{Ask, Operation};
use super::reply::Reply;
use crate::keyring::{Ring, Version};
use crate::services::secrets::{NAMES, owner};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// Whatever is asked of a path at or below `secret`.
pub(super) fn answer(caller: &Caller<'_>, ask: &Ask) -> Reply {
    let list = match ask.operation {
        Operation::Read => false,
        Operation::List => true,
        // The token may read and list.
        _ => return Reply::forbidden(),
    };
    let ring = caller.context().keys().ring();
    let Some(path) = ask.path.strip_prefix("secret/") else {
        return if list { not_versioned(caller, "list") } else { Reply::forbidden() };
    };
    match (path.split_once('/').map_or((path, None), |(api, name)| (api, Some(name))), list) {
        (("data", _), true) => {
            let what = "1 error occurred:\n\t* unsupported operation\n\n";
            Reply::error(StatusCode::METHOD_NOT_ALLOWED, what)
        }
        (("data" | "metadata", None), false) => {
            let what = "Non-listing operations on the root of a K/V v2 mount are not supported.";
            Reply::warned(caller.request_id(), what)
        }
        (("data", Some(name)), false) => data(caller, ask, &ring, name),
        (("subkeys", Some(name)), false) => subkeys(caller, ask, &ring, name),
        (("metadata", None | Some("")), true) => {
            Reply::data(caller.request_id(), json!({ "keys": NAMES.map(|(name, _)| name) }))
        }
        (("metadata", Some(_)), true) => Reply::nothing_here(),
        (("metadata", Some(name)), false) => metadata(caller, &ring, name.trim_end_matches('/')),
        (("config", None), false) => {
            let config = json!({
                "cas_required": false,
                "delete_version_after": "0s",
                "max_versions": 0,
                "metadata_cas_required": false,
            });
            Reply::data(caller.request_id(), config)
        }
        _ => not_versioned(caller, if list { "list" } else { "get" }),
    }
}

/// What a client hears that takes the engine for one of version 1.
fn not_versioned(caller: &Caller<'_>, verb: &str) -> Reply {
    let what = format!(
        "Invalid path for a versioned K/V secrets engine: ask below secret/data or \
         secret/metadata, as `vault kv {verb}` does."
    );
    Reply::warned(caller.request_id(), &what)
}

fn data(caller: &Caller<'_>, ask: &Ask, ring: &Ring, name: &str) -> Reply {
    found(caller, ask, ring, name, |version| {
        let data = json!({
            "data": { "api_key": version.api_key, "webhook_secret": version.webhook_secret },
            "metadata": about(version),
        });
        Reply::data(caller.request_id(), data).with_version(version.number)
    })
}

fn subkeys(caller: &Caller<'_>, ask: &Ask, ring: &Ring, name: &str) -> Reply {
    found(caller, ask, ring, name, |version| {
        let subkeys = json!({ "api_key": null, "webhook_secret": null });
        Reply::data(caller.request_id(), json!({ "metadata": about(version), "subkeys": subkeys }))
    })
}

/// What becomes of the version that is asked for, if it is there.
fn found(
    caller: &Caller<'_>,
    ask: &Ask,
    ring: &Ring,
    name: &str,
    then: impl FnOnce(&Version) -> Reply,
) -> Reply {
    let number = match wanted(&ask.query) {
        Ok(number) => number,
        Err(what) => return Reply::error(StatusCode::BAD_REQUEST, &what),
    };
    let version = owner(name).and_then(|owner| match number {
        None => caller.call.newest(ring, owner),
        Some(_) => ring.version(owner, number),
    });
    version.map_or_else(Reply::nothing_here, then)
}

/// The version that the query asks for; none, for all that is not above 0, is the newest.
fn wanted(query: &[(String, String)]) -> Result<Option<u64>, String> {
    let mut asked = query.iter().filter(|(name, _)| name == "version").map(|(_, value)| value);
    let Some(number) = asked.next().filter(|number| !number.is_empty()) else { return Ok(None) };
    let refused = || {
        let what = "Field validation failed: error converting input for field \"version\"";
        format!("{what}: one whole number is wanted")
    };
    if asked.next().is_some() {
        return Err(refused());
    }
    let number: i64 = number.parse().map_err(|_| refused())?;
    Ok(u64::try_from(number).ok().filter(|number| *number > 0))
}

fn about(version: &Version) -> Value {
    json!({
        "created_time": version.created_time,
        "custom_metadata": null,
        "deletion_time": "",
        "destroyed": false,
        "version": version.number,
    })
}

fn metadata(caller: &Caller<'_>, ring: &Ring, name: &str) -> Reply {
    let all = owner(name).map_or(&[][..], |owner| ring.versions(owner));
    let (Some(oldest), Some(newest)) = (all.first(), all.last()) else {
        return Reply::nothing_here();
    };
    let one = |version: &Version| {
        let about = json!({
            "created_time": version.created_time,
            "deletion_time": "",
            "destroyed": false,
        });
        (version.number.to_string(), about)
    };
    let versions: Map<String, Value> = all.iter().map(one).collect();
    let data = json!({
        "cas_required": false,
        "created_time": oldest.created_time,
        "current_metadata_version": 0,
        "current_version": newest.number,
        "custom_metadata": null,
        "delete_version_after": "0s",
        "max_versions": 0,
        "metadata_cas_required": false,
        // A server says 0 until it has dropped one.
        "oldest_version": if oldest.number > 1 { oldest.number } else { 0 },
        "updated_time": newest.created_time,
        "versions": versions,
    });
    Reply::data(caller.request_id(), data)
}

#[cfg(test)]
mod tests {
    use super::super::ask::pairs;
    use super::*;

    #[test]
    fn the_query_names_a_version_or_the_newest() {
        let check = |query: &str, expected: Option<Option<u64>>| {
            assert_eq!(wanted(&pairs(query)).ok(), expected, "{query:?}");
        };
        check("", Some(None));
        check("version=0", Some(None));
        check("version=-1", Some(None));
        check("version=", Some(None));
        check("a=b&version=12", Some(Some(12)));
        check("version=two", None);
        check("version=1.0", None);
        check("version=1&version=2", None);
    }
}
