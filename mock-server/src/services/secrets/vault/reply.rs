//! What the vault answers: the envelope around what it hands out, and its errors.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Map, Value, json};

/// An answer before it is sent.
pub(super) struct Reply {
    status: StatusCode,
    body: Body,
    /// The version of the secret that it hands out.
    version: Option<u64>,
    /// Whether the body is the envelope.
    enveloped: bool,
}

enum Body {
    Json(Value),
    Moved(String),
    Empty,
}

impl Reply {
    /// This JSON, as it stands.
    pub const fn json(status: StatusCode, body: Value) -> Self {
        Self { status, body: Body::Json(body), version: None, enveloped: false }
    }

    /// What was asked for, in the envelope.
    pub fn data(request_id: String, data: Value) -> Self {
        Self::enveloped(StatusCode::OK, request_id, data, Value::Null, Value::Null)
    }

    /// A token and its life, in the envelope.
    pub fn auth(request_id: String, auth: Value, warning: Option<String>) -> Self {
        let warnings = warning.map_or(Value::Null, |warning| json!([warning]));
        Self::enveloped(StatusCode::OK, request_id, Value::Null, warnings, auth)
    }

    /// Nothing, and in the envelope why.
    pub fn warned(request_id: String, warning: &str) -> Self {
        let status = StatusCode::NOT_FOUND;
        Self::enveloped(status, request_id, Value::Null, json!([warning]), Value::Null)
    }

    fn enveloped(
        status: StatusCode,
        request_id: String,
        data: Value,
        warnings: Value,
        auth: Value,
    ) -> Self {
        let body = json!({
            "request_id": request_id,
            "lease_id": "",
            "renewable": false,
            "lease_duration": 0,
            "data": data,
            "wrap_info": null,
            "warnings": warnings,
            "auth": auth,
        });
        Self { enveloped: true, ..Self::json(status, body) }
    }

    /// What opens the answer, in place of it.
    pub fn wrapping(info: Value) -> Self {
        let nothing = Value::Null;
        let mut reply = Self::enveloped(
            StatusCode::OK,
            String::new(),
            nothing.clone(),
            nothing.clone(),
            nothing,
        );
        if let Body::Json(body) = &mut reply.body {
            body["wrap_info"] = info;
        }
        reply
    }

    /// An answer that was wrapped.
    pub fn unwrapped(body: Value, version: Option<u64>) -> Self {
        Self { version, enveloped: true, ..Self::json(StatusCode::OK, body) }
    }

    /// The envelope, and the version of the secret that is in it; the reply itself if it has none.
    pub fn into_enveloped(self) -> Result<(Value, Option<u64>), Self> {
        match self {
            Self { body: Body::Json(body), version, enveloped: true, .. } => Ok((body, version)),
            other => Err(other),
        }
    }

    /// The same, with these fields beside those of the envelope.
    pub fn beside(mut self, fields: Map<String, Value>) -> Self {
        if let Body::Json(Value::Object(body)) = &mut self.body {
            for (name, value) in fields {
                body.entry(name).or_insert(value);
            }
        }
        self
    }

    /// It is done, and there is nothing to say.
    pub const fn done() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Body::Empty, version: None, enveloped: false }
    }

    /// An error in words.
    pub fn error(status: StatusCode, why: &str) -> Self {
        Self::json(status, json!({ "errors": [why] }))
    }

    /// What a fault says in place of an answer: 404 as of a secret that is not there.
    pub fn failing(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::nothing_here(),
            _ => Self::error(status, "the vault cannot answer now"),
        }
    }

    /// The token is missing, unknown, or no longer valid.
    pub fn denied() -> Self {
        Self::error(StatusCode::FORBIDDEN, "permission denied")
    }

    /// The token is valid, and may not do this.
    pub fn forbidden() -> Self {
        Self::error(StatusCode::FORBIDDEN, "1 error occurred:\n\t* permission denied\n\n")
    }

    /// Nobody can do this here.
    pub fn unsupported() -> Self {
        Self::error(StatusCode::METHOD_NOT_ALLOWED, "unsupported operation")
    }

    /// Nobody can do this anywhere.
    pub fn no_such_method() -> Self {
        Self::json(StatusCode::METHOD_NOT_ALLOWED, json!({ "errors": [] }))
    }

    /// A setting in the query makes no sense.
    pub fn bad_request() -> Self {
        Self::json(StatusCode::BAD_REQUEST, json!({ "errors": [] }))
    }

    /// There is no such thing.
    pub fn nothing_here() -> Self {
        Self::json(StatusCode::NOT_FOUND, json!({ "errors": [] }))
    }

    /// The same is to be asked for at this path.
    pub fn moved(path: &str, query: Option<&str>) -> Self {
        let query = query.map_or(String::new(), |query| format!("?{query}"));
        let to = format!("{path}{query}");
        Self {
            status: StatusCode::TEMPORARY_REDIRECT,
            body: Body::Moved(to),
            version: None,
            enveloped: false,
        }
    }

    /// This version of the secret is in it.
    pub fn with_version(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }

    pub const fn version(&self) -> Option<u64> {
        self.version
    }

    /// The answer as it is sent, with the namespace as the client wrote it.
    pub fn into_response(self, namespace: Option<&HeaderValue>) -> Response {
        let json = [(header::CONTENT_TYPE, "application/json")];
        let mut response = match self.body {
            Body::Json(body) => (self.status, json, body.to_string()).into_response(),
            Body::Empty => (self.status, json).into_response(),
            Body::Moved(to) => {
                let page = Html("<a>Temporary Redirect</a>.\n\n");
                (self.status, [(header::LOCATION, to)], page).into_response()
            }
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(namespace) = namespace.filter(|name| !name.is_empty()) {
            headers.insert(super::NAMESPACE, namespace.clone());
        }
        response
    }
}
