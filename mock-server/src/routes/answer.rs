//! An answer before it is bytes: status, headers, body, and what the edge shall record of it.

use crate::history::exchange::{
    ClickReceipt, CursorIn, Denied, LinkReceipt, Listed, RegistrationReceipt,
};
use crate::profile::ContractProfile;
use serde_json::{Value, json};
use std::borrow::Cow;
use wiremock::ResponseTemplate;

/// What a route answers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: Vec<(Cow<'static, str>, String)>,
    pub body: Body,
    pub receipts: Receipts,
    /// How long it takes by design, microseconds.
    pub slow_us: u64,
    pub version: Option<String>,
    pub nonce: Option<String>,
    /// For the record, of a list of links.
    pub listed: Option<Box<Listed>>,
    /// What the key was not good for.
    pub denied: Option<Denied>,
}

/// What clicks, links and a registration in a request met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Receipts {
    pub clicks: Vec<ClickReceipt>,
    pub links: Vec<LinkReceipt>,
    pub registration: Option<Box<RegistrationReceipt>>,
}

impl From<Vec<ClickReceipt>> for Receipts {
    fn from(clicks: Vec<ClickReceipt>) -> Self {
        Self { clicks, ..Self::default() }
    }
}

impl From<Vec<LinkReceipt>> for Receipts {
    fn from(links: Vec<LinkReceipt>) -> Self {
        Self { links, ..Self::default() }
    }
}

impl From<RegistrationReceipt> for Receipts {
    fn from(registration: RegistrationReceipt) -> Self {
        Self { registration: Some(Box::new(registration)), ..Self::default() }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Nothing,
    Json(Value),
    Error {
        code: String,
        message: String,
    },
    /// Bytes as they are, and what they claim to be.
    Raw {
        bytes: Vec<u8>,
        kind: Option<String>,
    },
}

impl Reply {
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Nothing,
            receipts: Receipts::default(),
            slow_us: 0,
            version: None,
            nonce: None,
            listed: None,
            denied: None,
        }
    }

    pub fn json(status: u16, body: Value) -> Self {
        Self { body: Body::Json(body), ..Self::empty(status) }
    }

    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = Body::Error { code: code.to_owned(), message: message.to_owned() };
        Self { body, ..Self::empty(status) }
    }

    pub fn with_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Self {
        self.add_header(name, value);
        self
    }

    /// The same effect, but the answer is an error and shows nothing of it.
    pub fn failed_late(mut self, status: u16) -> Self {
        self.headers.clear();
        let (code, message) = ("internal".to_owned(), "the service failed".to_owned());
        self.replace(status, Body::Error { code, message });
        self
    }

    /// Puts something else in place of the answer; what was done stays done.
    pub fn replace(&mut self, status: u16, body: Body) {
        let of_the_page = |name: &str| {
            ["etag", "cache-control"].iter().any(|validator| name.eq_ignore_ascii_case(validator))
        };
        self.headers.retain(|(name, _)| !of_the_page(name));
        (self.status, self.body) = (status, body);
        (self.version, self.nonce, self.denied) = (None, None, None);
        // Nobody is shown a link, but the cursor was worth what it was.
        self.listed = self.listed.take().map(|listed| Box::new(Listed::met(listed.cursor_in)));
    }

    /// Notes for the record what the key was not good for.
    pub fn denied(mut self, why: Denied) -> Self {
        self.denied = Some(why);
        self
    }

    /// Notes for the record what the cursor of the request for a list was worth.
    pub fn with_cursor(mut self, cursor_in: CursorIn) -> Self {
        self.listed = Some(Box::new(Listed::met(cursor_in)));
        self
    }

    pub fn with_receipts(mut self, receipts: impl Into<Receipts>) -> Self {
        self.receipts = receipts.into();
        self
    }

    /// Notes version and nonce for the record, and puts them into a JSON body.
    pub fn with_trace(mut self, version: &str, nonce: &str) -> Self {
        if let Body::Json(Value::Object(fields)) = &mut self.body {
            fields.insert("version".to_owned(), json!(version));
        }
        self.version = Some(version.to_owned());
        self.with_nonce(nonce)
    }

    /// Notes the nonce for the record, and puts it into a JSON body; without one there is none.
    pub fn with_nonce(mut self, nonce: &str) -> Self {
        if let Body::Json(Value::Object(fields)) = &mut self.body {
            fields.insert("nonce".to_owned(), json!(nonce));
            self.nonce = Some(nonce.to_owned());
        }
        self
    }

    pub fn add_header(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        // The rate limit's and those of a page, at once.
        self.headers.reserve(6_usize.saturating_sub(self.headers.len()));
        self.headers.push((name.into(), value.into()));
    }

    /// The bytes of the body and their content type; none for an answer without a body.
    pub fn rendered(&self, profile: &ContractProfile) -> Option<(Vec<u8>, Option<String>)> {
        match &self.body {
            Body::Nothing => None,
            Body::Json(value) => {
                Some((value.to_string().into_bytes(), Some("application/json".to_owned())))
            }
            Body::Error { code, message } => {
                let (bytes, kind) = error_body(profile, self.status, code, message);
                Some((bytes, Some(kind.to_owned())))
            }
            Body::Raw { bytes, kind } => Some((bytes.clone(), kind.clone())),
        }
    }

    /// The same of an answer that is of no more use.
    pub fn into_rendered(self, profile: &ContractProfile) -> Option<(Vec<u8>, Option<String>)> {
        match self.body {
            Body::Raw { bytes, kind } => Some((bytes, kind)),
            _ => self.rendered(profile),
        }
    }

    pub fn into_template(self, profile: &ContractProfile) -> ResponseTemplate {
        let mut template = ResponseTemplate::new(self.status);
        for (name, value) in &self.headers {
            template = template.insert_header(name.as_ref(), value.as_str());
        }
        match self.into_rendered(profile) {
            None => template,
            Some((bytes, Some(kind))) => template.set_body_raw(bytes, &kind),
            Some((bytes, None)) => template.set_body_bytes(bytes),
        }
    }
}

/// The body of an error in the profile's form, and its content type.
pub(crate) fn error_body(
    profile: &ContractProfile,
    status: u16,
    code: &str,
    message: &str,
) -> (Vec<u8>, &'static str) {
    if profile.errors.problem_json {
        let body =
            json!({ "type": "about:blank", "title": code, "status": status, "detail": message });
        (body.to_string().into_bytes(), "application/problem+json")
    } else {
        let body = json!({ "error": { "code": code, "message": message } });
        (body.to_string().into_bytes(), "application/json")
    }
}
