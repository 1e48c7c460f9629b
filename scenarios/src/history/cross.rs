//! What a page of some origin asked of the integration, and what the answer allows it.

use crate::front_door::FrontRoute;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A request as a browser sends it for a page of another origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cross<'a> {
    /// The route.
    pub route: FrontRoute,
    /// What was asked of it.
    pub asked: Asked,
    /// What sort of origin asked.
    pub from: Origin,
    /// The `Origin` header.
    #[serde(borrow)]
    pub origin: Cow<'a, str>,
    /// `Access-Control-Allow-Origin`; several are one list.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub acao: Option<Cow<'a, str>>,
    /// Whether the answer may be read by a page that sends credentials.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub credentials: bool,
    /// `Vary`; several are one list.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub vary: Option<Cow<'a, str>>,
    /// `Access-Control-Allow-Methods`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Cow<'a, str>>,
    /// The id of the click that was sent, if one was.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Cow<'a, str>>,
}

/// What is asked of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Whether a request may be sent (`OPTIONS`).
    Preflight,
    /// What the route is for.
    Request,
    /// What it must refuse.
    Refused,
    /// To be read (`GET`), whether the route can be or not.
    Get,
}

/// What sort of origin asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The one that the integration was told to allow.
    Allowed,
    /// Another host.
    OtherHost,
    /// A host that begins with the allowed one.
    Prefix,
    /// A host that ends with the allowed one.
    Suffix,
    /// A host under the allowed one.
    SubDomain,
    /// The allowed one with a letter for a dot.
    LetterForDot,
    /// `null`, which sandboxed pages and files are.
    Null,
    /// The allowed one without TLS.
    OtherScheme,
    /// The allowed one at another port.
    OtherPort,
    /// The allowed one with a dot behind it.
    TrailingDot,
    /// The allowed one in capitals, which is the same host and no browser's spelling.
    Capitals,
    /// The allowed one as the user of another host.
    UserInfo,
    /// The allowed one and another.
    Two,
}

impl Origin {
    /// Every one.
    pub const ALL: [Self; 13] = [
        Self::Allowed,
        Self::OtherHost,
        Self::Prefix,
        Self::Suffix,
        Self::SubDomain,
        Self::LetterForDot,
        Self::Null,
        Self::OtherScheme,
        Self::OtherPort,
        Self::TrailingDot,
        Self::Capitals,
        Self::UserInfo,
        Self::Two,
    ];

    /// The origin, given the allowed one, which is `https://` and a host with two dots.
    #[must_use]
    pub fn of(self, allowed: &str) -> String {
        let host = allowed.strip_prefix("https://").unwrap_or(allowed);
        match self {
            Self::Allowed => allowed.to_owned(),
            Self::OtherHost => "https://evil.example".to_owned(),
            Self::Prefix => format!("{allowed}.evil.example"),
            Self::Suffix => format!("https://evil{host}"),
            Self::SubDomain => format!("https://evil.{host}"),
            Self::LetterForDot => format!("https://{}", host.replacen('.', "x", 1)),
            Self::Null => "null".to_owned(),
            Self::OtherScheme => format!("http://{host}"),
            Self::OtherPort => format!("{allowed}:8443"),
            Self::TrailingDot => format!("{allowed}."),
            Self::Capitals => format!("https://{}", host.to_uppercase()),
            Self::UserInfo => format!("{allowed}@evil.example"),
            Self::Two => format!("{allowed} https://evil.example"),
        }
    }

    /// Whether nobody may let it in. Capitals are the same host: whoever compares hosts lets them in.
    #[must_use]
    pub const fn is_foreign(self) -> bool {
        !matches!(self, Self::Allowed | Self::Capitals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_origin_but_one_is_the_allowed_one() {
        let allowed = "https://app.example.org";
        let all: BTreeSet<String> = Origin::ALL.iter().map(|from| from.of(allowed)).collect();
        assert_eq!(all.len(), Origin::ALL.len());
        assert_eq!(Origin::Allowed.of(allowed), allowed);
        assert_eq!(Origin::Suffix.of(allowed), "https://evilapp.example.org");
        assert_eq!(Origin::LetterForDot.of(allowed), "https://appxexample.org");
        assert_eq!(Origin::ALL.iter().filter(|from| from.is_foreign()).count(), 11);
    }
}
