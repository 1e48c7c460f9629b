//! What AWS answers in JSON, and its errors, which it says by name.

use super::ACCOUNT;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What is said, in JSON.
pub(super) struct Said(pub StatusCode, pub Value);

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
        (self.0, kind, self.1.to_string()).into_response()
    }
}

/// Nobody can do this.
pub(super) const UNKNOWN: [&str; 2] = ["UnknownOperationException", ""];
/// The time of what was signed with is over.
pub(super) const EXPIRED: [&str; 2] =
    ["ExpiredTokenException", "The security token included in the request is expired"];

/// An error by its name. Its words stand under the one of two names that the real service uses for it.
pub(super) fn error(status: StatusCode, name: &str, what: &str) -> Said {
    const OF_THE_FRONT: [&str; 6] = [
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "ThrottlingException",
        "UnrecognizedClientException",
    ];
    let mut body = json!({ "__type": name });
    let words = if OF_THE_FRONT.contains(&name) { "message" } else { "Message" };
    if !what.is_empty() {
        body[words] = what.into();
    }
    Said(status, body)
}

pub(super) fn refused([name, what]: [&str; 2]) -> Said {
    error(StatusCode::BAD_REQUEST, name, what)
}

pub(super) fn invalid(member: &str, what: &str) -> Said {
    let what = format!("1 validation error detected: Value at '{member}' is wrong: {what}");
    error(StatusCode::BAD_REQUEST, "ValidationException", &what)
}

pub(super) fn no_secret() -> Said {
    let what = "Secrets Manager can't find the specified secret.";
    error(StatusCode::BAD_REQUEST, "ResourceNotFoundException", what)
}

pub(super) fn no_value(of: &str) -> Said {
    let what = format!("Secrets Manager can't find the specified secret value for {of}");
    error(StatusCode::BAD_REQUEST, "ResourceNotFoundException", &what)
}

pub(super) fn denied(operation: &str, name: &str) -> Said {
    let what = format!(
        "User: arn:aws:sts::{ACCOUNT}:assumed-role/linktree/windthrow is not authorized to perform: \
         secretsmanager:{operation} on resource: {name} because no identity-based policy allows the \
         secretsmanager:{operation} action"
    );
    error(StatusCode::BAD_REQUEST, "AccessDeniedException", &what)
}
