//! AWS Secrets Manager (`AWS JSON 1.1`): the run's secret as `SecretString`, its versions under the labels that
//! a rotation moves, and temporary credentials as a container's agent hands them out.
//!
//! Who signs with the run's key, or with temporary credentials, may read and describe, and nothing else. The
//! secret key is what opens the other managers, too; that of temporary credentials is their session's token, so
//! that a run has no more to conceal. Every region is taken.

mod said;
mod secret;
mod who;

use super::NAMES;
use super::manager::{Answer, Asked, Call, Manager};
use super::sigv4::text;
use crate::clock::Moment;
use crate::contract::SecretsManager;
use crate::keyring::{Holder, timestamp};
use crate::services::ServiceContext;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use said::{EXPIRED, Said, UNKNOWN, denied, error, invalid, no_secret, no_value, refused};
use secret::{Secret, name_in};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use who::{Who, temporary_id};

/// The run's access key id, no secret: whoever shows it must sign with the run's token.
pub const ACCESS_KEY_ID: &str = "AKIAWINDTHROWEXAMPLE";

/// The region that targets are told.
pub const REGION: &str = "us-east-1";

/// Where temporary credentials are handed out, for `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
pub const CREDENTIALS_PATH: &str = "/credentials";

/// The operation that hands a secret out.
pub(super) const GET: &str = "GetSecretValue";

const ACCOUNT: &str = "123456789012";

const SERVICE: &str = "secretsmanager";

/// What the run's key may not do, of all that the service can.
const FORBIDDEN: &[&str] = &[
    "BatchGetSecretValue",
    "CancelRotateSecret",
    "CreateSecret",
    "DeleteResourcePolicy",
    "DeleteSecret",
    "GetRandomPassword",
    "GetResourcePolicy",
    "PutResourcePolicy",
    "PutSecretValue",
    "RemoveRegionsFromReplication",
    "ReplicateSecretToRegions",
    "RestoreSecret",
    "RotateSecret",
    "StopReplicationToReplica",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
    "UpdateSecretVersionStage",
    "ValidateResourcePolicy",
];

/// See the module.
pub(super) struct Aws;

impl Manager for Aws {
    const NAME: SecretsManager = SecretsManager::Aws;

    fn read(context: &ServiceContext, at: Moment, parts: &Parts, body: &[u8]) -> Asked {
        if parts.uri.path() == CREDENTIALS_PATH {
            let path = CREDENTIALS_PATH.to_owned();
            return asked(parts.method.to_string(), path, "auth/aws/login".to_owned());
        }
        let operation = text(&parts.headers, "x-amz-target").unwrap_or_default();
        let operation = operation.strip_prefix("secretsmanager.").unwrap_or(operation);
        let fields: Value = serde_json::from_slice(body).unwrap_or_default();
        let id = fields["SecretId"].as_str().unwrap_or_default();
        let name = name_in(id);
        let part = if operation == GET { "data" } else { "metadata" };
        let key = format!("secret/{part}/{name}");
        let who = Who::of(context, at, parts, body);
        let label = match &who {
            Who::Known(standing) => standing.label(),
            Who::Absent => "absent",
            Who::Malformed | Who::Misdirected | Who::Forged => "unknown",
        };
        let standing = who.into_standing();
        Asked { standing, label, ..asked(operation.to_owned(), name.to_owned(), key) }
    }

    fn answer(call: &Call<'_>, body: &[u8]) -> Answer {
        if call.parts.uri.path() == CREDENTIALS_PATH {
            return Answer::plain(credentials(call));
        }
        if call.parts.method != Method::POST {
            return Answer::plain(refused(UNKNOWN));
        }
        match Who::of(call.context, call.at, call.parts, body).refusal() {
            Some(refusal) => Answer::plain(refused(refusal)),
            None => operated(call, body),
        }
    }

    fn too_large(_call: &Call<'_>) -> Answer {
        let what = "the body is too large or broke off";
        Answer::plain(error(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", what))
    }

    /// AWS says its errors by name: most of them are a 400.
    fn failing(call: &Call<'_>, status: StatusCode) -> Answer {
        let bad = StatusCode::BAD_REQUEST;
        Answer::plain(match status.as_u16() {
            401 => refused(EXPIRED),
            403 => denied(&call.asked.method, &call.asked.path),
            404 if call.asked.method == GET => no_value("staging label: AWSCURRENT"),
            404 => no_secret(),
            429 => error(bad, "ThrottlingException", "Rate exceeded"),
            503 => error(status, "ServiceUnavailable", "The service cannot answer now."),
            400..=499 => error(bad, "InvalidRequestException", "The service cannot do this now."),
            _ => error(status, "InternalServiceError", "An error occurred on the server side."),
        })
    }
}

fn asked(method: String, path: String, key: String) -> Asked {
    let (namespace, token, standing) = (None, None, None);
    Asked { method, path, key, namespace, token, standing, label: "absent" }
}

fn credentials(call: &Call<'_>) -> Response {
    if call.parts.method != Method::GET {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let holder = Holder {
        path: "auth/aws/login",
        display_name: "aws-linktree".to_owned(),
        metadata: BTreeMap::new(),
    };
    let lease = call.context.keys().log_in(holder, call.at);
    let body = json!({
        "AccessKeyId": temporary_id(&lease.token),
        "SecretAccessKey": lease.token,
        "Token": lease.token,
        "Expiration": timestamp(lease.expires()).strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/linktree"),
    });
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn operated(call: &Call<'_>, body: &[u8]) -> Answer {
    let operation = call.asked.method.as_str();
    if FORBIDDEN.contains(&operation) {
        return Answer::plain(denied(operation, &call.asked.path));
    }
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return Answer::plain(error(StatusCode::BAD_REQUEST, "SerializationException", ""));
    };
    let ring = call.context.keys().ring();
    let fields = Fields(fields);
    let secret = || match fields.text("SecretId") {
        Ok(Some(id)) => Secret::named(call, id).ok_or_else(no_secret),
        Ok(None) => Err(invalid("SecretId", "Member must not be null")),
        Err(wrong) => Err(wrong),
    };
    let found = match operation {
        GET => secret().and_then(|secret| secret.value(call, &ring, &fields)),
        "DescribeSecret" => secret().map(|secret| (secret.described(call, &ring), None)),
        "ListSecretVersionIds" => {
            secret().and_then(|secret| Ok((secret.listed(call, &ring, &fields)?, None)))
        }
        "ListSecrets" => {
            let all = NAMES.map(|(name, _)| Secret::named(call, name));
            let all: Vec<Value> =
                all.iter().flatten().map(|secret| secret.entry(call, &ring)).collect();
            Ok((json!({ "SecretList": all }), None))
        }
        _ => Err(refused(UNKNOWN)),
    };
    match found {
        Ok((body, version)) => Answer { version, ..Answer::plain(Said(StatusCode::OK, body)) },
        Err(refusal) => Answer::plain(refusal),
    }
}

/// The members of a request.
struct Fields(Map<String, Value>);

impl Fields {
    /// A text, if there is one.
    fn text(&self, name: &str) -> Result<Option<&str>, Said> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => {
                Err(invalid(name, "Member must have length greater than or equal to 1"))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(error(StatusCode::BAD_REQUEST, "SerializationException", "")),
        }
    }
}
