//! What went wrong with a control request, as `{"error":{"code","message","help"}}`.

use crate::nearest::nearest;
use crate::server::rules::ChangeError;
use crate::world::WorldError;
use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error, for a program by its code and for a person by its words.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    help: String,
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), help: String::new(), header: None }
    }

    /// What to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// Text that serde did not understand; a misspelt name is mended in the help.
    pub fn not_understood(message: &str) -> Self {
        let help = did_you_mean(message);
        Self::new(StatusCode::BAD_REQUEST, "not_understood", message.trim())
            .help(help.unwrap_or_else(|| "GET / says what each endpoint takes".to_owned()))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, message, help, header } = self;
        let body = json!({ "error": { "code": code, "message": message, "help": help } });
        let mut response = (status, Json(body)).into_response();
        response.headers_mut().extend(header.map(|header| *header));
        response
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        let message = error.to_string();
        match error {
            ChangeError::Outdated { now, .. } => {
                Self::new(StatusCode::PRECONDITION_FAILED, "outdated", message)
                    .help("read /plan again, and repeat the change with its ETag")
                    .header(axum::http::header::ETAG, super::plan::etag(now))
            }
            ChangeError::Absent { .. } => Self::new(StatusCode::NOT_FOUND, "no_such_rule", message)
                .help("GET /plan lists the rules in force"),
            ChangeError::Process(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "process_fault", message)
                    .help("the mock does not own your service's process; stop or pause it yourself")
            }
            ChangeError::Plan(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unusable_rules", message)
                    .help("mend the rule; the rules in force have not changed")
            }
        }
    }
}

impl From<WorldError> for Problem {
    fn from(error: WorldError) -> Self {
        let message = error.to_string();
        match error {
            WorldError::Setting { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unusable_event", message)
                    .help("mend the event; nothing has happened")
            }
            WorldError::TooManyEdits { .. } => {
                Self::new(StatusCode::CONFLICT, "too_many_edits", message).help("POST /reset")
            }
        }
    }
}

/// From serde's words about an unknown name, the known name that is closest to it.
fn did_you_mean(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("unknown ")?;
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let wrong = quoted.next()?;
    nearest(wrong, quoted).map(|near| format!("did you mean {near}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_taken_from_the_parsers_own_words() {
        let check = |message, expected: Option<&str>| {
            assert_eq!(did_you_mean(message).as_deref(), expected, "{message}");
        };
        let field = "unknown field `ruls`, expected `rules` at line 1 column 8";
        check(field, Some("did you mean rules?"));
        let kind = "unknown variant `stats`, expected one of `latency`, `status`, `reset`";
        check(kind, Some("did you mean status?"));
        check("unknown field `xyz`, expected `rules`", None);
        check("expected value at line 1 column 1", None);
    }
}
