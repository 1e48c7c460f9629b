//! The vault that hands out the run's credentials, in the shape of HashiCorp Vault's KV version 2.

use crate::clock::Clock;
use crate::history::record::{Record, SecretRead};
use crate::keyring::Version;
use crate::seed;
use crate::services::ServiceContext;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where the vault keeps the integration's secret.
pub const VAULT_PATH: &str = "/v1/secret/data/linktree";

/// Where the vault keeps the staging environment's secret, for whoever wrongly reaches for it.
pub const STAGING_PATH: &str = "/v1/secret/data/linktree-staging";

/// A recorded path is cut off after so many characters.
const PATH_KEPT: usize = 256;

/// The vault's routes.
pub(crate) fn router(context: Arc<ServiceContext>) -> Router {
    Router::new().route("/v1/sys/health", get(health)).fallback(read).with_state(context)
}

/// Like an unsealed, active Vault (`GET /v1/sys/health`), which needs no token.
async fn health() -> Json<Value> {
    let now = Clock::wall().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    Json(json!({
        "initialized": true,
        "sealed": false,
        "standby": false,
        "performance_standby": false,
        "replication_performance_mode": "disabled",
        "replication_dr_mode": "disabled",
        "server_time_utc": now,
        "version": concat!(env!("CARGO_PKG_VERSION"), "+windthrow"),
        "cluster_name": "windthrow",
    }))
}

/// Any read; each is recorded, whatever becomes of it.
async fn read(
    State(context): State<Arc<ServiceContext>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if !uri.path().starts_with("/v1/") {
        return errors(StatusCode::NOT_FOUND, &[]);
    }
    if method != Method::GET {
        return errors(StatusCode::METHOD_NOT_ALLOWED, &["unsupported operation"]);
    }
    let ring = context.keys().ring();
    let at = context.clock.now();
    let found = if is_welcome(&context, &headers) {
        wanted(uri.query()).map(|number| match uri.path() {
            VAULT_PATH => ring.version(number),
            STAGING_PATH => ring.staging(number),
            _ => None,
        })
    } else {
        Err((StatusCode::FORBIDDEN, "permission denied"))
    };
    let (answer, version) = match found {
        Ok(Some(version)) => (kv(&context, version, at.0), Some(version.number)),
        Ok(None) => (errors(StatusCode::NOT_FOUND, &[]), None),
        Err((status, why)) => (errors(status, &[why]), None),
    };
    let path = ring.scanner().redacted(uri.path()).chars().take(PATH_KEPT).collect();
    let status = answer.status().as_u16();
    context.recorder.record(Record::SecretRead(SecretRead { at, path, status, version }));
    answer
}

/// Vault takes its token from its own header, or as a bearer.
fn is_welcome(context: &ServiceContext, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = || text(header::AUTHORIZATION.as_str())?.strip_prefix("Bearer ");
    text("x-vault-token").or_else(bearer) == Some(context.vault_token.as_str())
}

/// The version that the query asks for; none, or 0, is the newest.
fn wanted(query: Option<&str>) -> Result<Option<u64>, (StatusCode, &'static str)> {
    let pairs = query.unwrap_or_default().split('&');
    let Some(number) = pairs.filter_map(|pair| pair.strip_prefix("version=")).next_back() else {
        return Ok(None);
    };
    match number.parse() {
        Ok(0) => Ok(None),
        Ok(number) => Ok(Some(number)),
        Err(_) => Err((StatusCode::BAD_REQUEST, "the version is not a whole number")),
    }
}

fn kv(context: &ServiceContext, version: &Version, nonce: u64) -> Response {
    let id = seed::derive(context.shared.world.seed, &["vault-request", &nonce.to_string()]);
    let id = hex::encode(&id[..16]);
    let id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
    Json(json!({
        "request_id": id,
        "lease_id": "",
        "renewable": false,
        "lease_duration": 0,
        "data": {
            "data": { "api_key": version.api_key, "webhook_secret": version.webhook_secret },
            "metadata": {
                "created_time": version.created_time,
                "custom_metadata": null,
                "deletion_time": "",
                "destroyed": false,
                "version": version.number,
            },
        },
        "wrap_info": null,
        "warnings": null,
        "auth": null,
    }))
    .into_response()
}

fn errors(status: StatusCode, errors: &[&str]) -> Response {
    (status, Json(json!({ "errors": errors }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_names_a_version_or_the_newest() {
        let check = |query: Option<&str>, expected: Option<Option<u64>>| {
            assert_eq!(wanted(query).ok(), expected, "{query:?}");
        };
        check(None, Some(None));
        check(Some(""), Some(None));
        check(Some("version=0"), Some(None));
        check(Some("a=b&version=12"), Some(Some(12)));
        check(Some("version=two"), None);
        check(Some("version=-1"), None);
        check(Some("version="), None);
    }
}
