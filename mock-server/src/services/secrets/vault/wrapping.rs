//! Answers that are wrapped because `X-Vault-Wrap-TTL` asks for it, and `sys/wrapping/unwrap`.

use super::ask::{Ask, Operation};
use super::reply::Reply;
use super::{Caller, durations};
use crate::clock::Clock;
use crate::keyring::Wrapped;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// Where what is wrapped is asked for.
pub(super) const UNWRAP: &str = "sys/wrapping/unwrap";

/// For how long the answer is to be wrapped, if at all.
///
/// # Errors
///
/// The answer to a header that says nothing of the kind.
pub(super) fn wanted(headers: &HeaderMap) -> Result<Option<Duration>, Reply> {
    let Some(text) = headers.get("x-vault-wrap-ttl").and_then(|value| value.to_str().ok()) else {
        return Ok(None);
    };
    let refused = |why| {
        let what = format!("error parsing X-Vault-Wrap-TTL header: {why}");
        Reply::error(StatusCode::BAD_REQUEST, &what)
    };
    durations::read(Some(&text.into())).map_err(refused)
}

/// The answer, wrapped for so long; errors, and what says nothing, go out as they are.
pub(super) fn wrapped(caller: &Caller<'_>, ask: &Ask, reply: Reply, ttl: Duration) -> Reply {
    let (body, version) = match reply.into_enveloped() {
        Ok(enveloped) => enveloped,
        Err(reply) => return reply,
    };
    let accessor = body["auth"]["accessor"].clone();
    let end = if ask.operation == Operation::List { "/" } else { "" };
    let (token, named) = caller.context().keys().wrap(Wrapped { body, version }, ttl, caller.at());
    let mut info = json!({
        "token": token,
        "accessor": named,
        "ttl": ttl.as_secs(),
        "creation_time": super::tokens::stamp(Clock::wall()),
        "creation_path": format!("{}{end}", ask.path.trim_end_matches('/')),
    });
    if accessor.is_string() {
        info["wrapped_accessor"] = accessor;
    }
    Reply::wrapping(info)
}

/// Hands out what a token wraps: the caller's own, or one that its body names.
pub(super) fn unwrap(caller: &Caller<'_>, ask: &Ask) -> Reply {
    let refused = |why: &str| {
        let what = format!("error validating wrapping token: {why}");
        Reply::error(StatusCode::FORBIDDEN, &what)
    };
    let (token, is_own) = match (ask.fields.get("token"), caller.token()) {
        (Some(Value::String(token)), _) if token.is_empty() => {
            return refused("empty token in request body");
        }
        (Some(Value::String(token)), own) => (token.as_str(), own == Some(token.as_str())),
        (Some(_), _) => return refused("could not decode token in request body"),
        (None, Some(own)) => (own, true),
        (None, None) => return refused("token is empty"),
    };
    let wrappings = &caller.context().keys().wrappings;
    if !wrappings.opens(token, caller.at()) {
        let what = "wrapping token is not valid or does not exist";
        return Reply::error(StatusCode::BAD_REQUEST, what);
    }
    if !is_own && caller.lease().is_none() {
        return Reply::denied();
    }
    if ask.operation != Operation::Update {
        return caller.without_lease();
    }
    match wrappings.open(token, caller.at()) {
        Some(Wrapped { mut body, version }) => {
            body["request_id"] = caller.request_id().into();
            Reply::unwrapped(body, version)
        }
        // Somebody else was quicker.
        None => Reply::denied(),
    }
}
