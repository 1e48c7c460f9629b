//! Who signed a request to AWS, and what whoever may not come in hears.

use super::said::EXPIRED;
use super::{ACCESS_KEY_ID, SERVICE};
use crate::clock::Moment;
use crate::keyring::{Standing, uuid};
use crate::services::ServiceContext;
use crate::services::secrets::sigv4::{Signed, text};
use axum::http::header;
use axum::http::request::Parts;

/// Who signed a request.
pub(super) enum Who {
    /// Somebody who has, or had, a key.
    Known(Standing),
    Absent,
    /// The header says less than it must.
    Malformed,
    /// It is signed for another service.
    Misdirected,
    /// It was signed with something else.
    Forged,
}

impl Who {
    pub fn of(context: &ServiceContext, at: Moment, parts: &Parts, body: &[u8]) -> Self {
        let Some(header) = text(&parts.headers, header::AUTHORIZATION.as_str()) else {
            return Self::Absent;
        };
        let Some(signed) = Signed::read(header) else { return Self::Malformed };
        if signed.service != SERVICE {
            return Self::Misdirected;
        }
        let leases = &context.keys().leases;
        let session = text(&parts.headers, "x-amz-security-token").map(str::to_owned);
        let secret = match session {
            None if signed.access_key_id == ACCESS_KEY_ID => leases.own_token(),
            Some(token) if signed.access_key_id == temporary_id(&token) => token,
            _ => return Self::Known(Standing::Unknown),
        };
        match leases.standing(&secret, at) {
            Standing::Unknown => Self::Known(Standing::Unknown),
            _ if !signed.is_by(&secret, parts, body) => Self::Forged,
            standing => Self::Known(standing),
        }
    }

    pub fn into_standing(self) -> Option<Standing> {
        match self {
            Self::Known(standing) => Some(standing),
            _ => None,
        }
    }

    /// The name of the error that it hears, and its words.
    pub fn refusal(&self) -> Option<[&'static str; 2]> {
        Some(match self {
            Self::Known(Standing::Valid { .. }) => return None,
            Self::Known(Standing::Expired | Standing::Revoked) => EXPIRED,
            Self::Known(Standing::Unknown) => [
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            ],
            Self::Absent => ["MissingAuthenticationTokenException", "Missing Authentication Token"],
            Self::Malformed => [
                "IncompleteSignatureException",
                "Authorization header requires Credential, SignedHeaders and Signature.",
            ],
            Self::Misdirected => [
                "InvalidSignatureException",
                "Credential should be scoped to correct service: 'secretsmanager'.",
            ],
            Self::Forged => [
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method.",
            ],
        })
    }
}

/// The access key id that goes with a session's token; it names the token without opening anything.
pub(super) fn temporary_id(token: &str) -> String {
    let digits = uuid(0, "aws-access-key", token).replace('-', "").to_uppercase();
    format!("ASIA{}", &digits[..16])
}
