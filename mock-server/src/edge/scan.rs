//! Finds credentials in a request, and takes them out of whatever is recorded.

use super::head::Head;
use crate::clock::Moment;
use crate::contract::Route;
use crate::history::exchange::{Exchange, KeyPlace};
use crate::keyring::{Keyring, Ring, Token};
use crate::redact::{Found, Kind};
use std::borrow::Cow;
use std::sync::Arc;

/// The run's credentials as of one request, to look for.
pub(super) struct Scanner(Arc<Ring>);

/// Where credentials stand in a request, each place once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// API keys.
    pub keys: Vec<KeyPlace>,
    /// Webhook secrets and the vault's token.
    pub secrets: Vec<KeyPlace>,
}

impl Places {
    fn add(&mut self, found: Found, place: KeyPlace) {
        for (found, places) in [(found.api_key, &mut self.keys), (found.other, &mut self.secrets)] {
            if found && !places.contains(&place) {
                places.push(place);
            }
        }
    }
}

impl Scanner {
    pub fn new(keys: &Keyring) -> Self {
        Self(keys.ring())
    }

    /// Whose key the request shows as its bearer.
    pub fn token(&self, head: &Head, at: Moment) -> Token {
        match head.header("authorization").as_deref().map(bearer) {
            None => Token::absent(),
            Some(None) => Token::unknown(),
            Some(Some(key)) => self.0.token(key, at),
        }
    }

    /// Everywhere that a known credential stands.
    pub fn places(&self, route: Route, head: &Head, body: &[u8]) -> Places {
        let scanner = self.0.scanner();
        let mut places = Places::default();
        for (name, value) in &head.headers {
            let found = scanner.find(value);
            if found == Found::default() {
                continue;
            }
            let text = String::from_utf8_lossy(value);
            // Only a key has its place there; any other credential is in the wrong header.
            let is_bearer = name == "authorization" && bearer(text.trim()).is_some();
            let key = if is_bearer { KeyPlace::BearerHeader } else { KeyPlace::OtherHeader };
            places.add(found.only(Kind::ApiKey), key);
            places.add(found.only(Kind::Other), KeyPlace::OtherHeader);
        }
        let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
        places.add(scanner.find(path.as_bytes()), KeyPlace::Path);
        places.add(scanner.find(query.as_bytes()), KeyPlace::Query);
        let mut found = scanner.find(body);
        // A registration says with which secret its webhooks shall be signed.
        found.other &= route != Route::Webhooks;
        places.add(found, KeyPlace::Body);
        places
    }

    /// Takes credentials out of ids that the routes read from the body.
    pub fn clean_receipts(&self, record: &mut Exchange) {
        let found = [&record.key_places, &record.secret_places];
        if found.iter().any(|places| places.contains(&KeyPlace::Body)) {
            for click in &mut record.clicks {
                click.event_id = self.redacted(&click.event_id).into_owned();
            }
        }
    }

    /// The text with every known credential replaced by `[key]`.
    pub fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.0.scanner().redacted(text)
    }
}

/// The key of a bearer credential; the scheme's case does not matter (RFC 9110 section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

#[cfg(test)]
mod tests {
    use super::super::head::Parsed;
    use super::*;
    use crate::profile::ContractProfile;
    use KeyPlace::{BearerHeader, Body, OtherHeader, Path, Query};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    const VAULT: &str = "a-vault-token";

    fn scan(request: &str, body: &str, route: Route) -> (Token, Places) {
        let profile = ContractProfile::linktree_v1();
        let keys = Keyring::new(7, &profile.keys, &profile.vault);
        keys.open_vault_with(VAULT);
        let basic = STANDARD.encode(format!("user:{}", keys.api_key()));
        let fill = |text: &str| {
            text.replace("BASIC", &basic)
                .replace("LIVE", &keys.api_key())
                .replace("TEST", &keys.other_key())
                .replace("SIGNS", &keys.webhook_secret())
                .replace("VAULT", VAULT)
        };
        let scanner = Scanner::new(&keys);
        let Parsed::Whole(head) = Head::parse(fill(request).as_bytes()) else {
            panic!("{request}")
        };
        assert!(!scanner.redacted(&head.target).contains(&keys.api_key()));
        (scanner.token(&head, Moment::ZERO), scanner.places(route, &head, fill(body).as_bytes()))
    }

    #[track_caller]
    fn check(request: &str, body: &str, label: &str, keys: &[KeyPlace]) {
        let (token, places) = scan(request, body, Route::Unknown);
        assert_eq!((token.label.as_str(), &*places.keys), (label, keys), "{request}");
        assert!(places.secrets.is_empty(), "{request}");
    }

    #[test]
    fn keys_are_found_wherever_they_stand() {
        check("GET / HTTP/1.1\r\n\r\n", "", "absent", &[]);
        check("GET / HTTP/1.1\r\nAuthorization: Bearer LIVE\r\n\r\n", "", "live", &[BearerHeader]);
        check("GET / HTTP/1.1\r\nAuthorization: bearer TEST\r\n\r\n", "", "test", &[BearerHeader]);
        check("GET / HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n", "", "unknown", &[]);
        check("GET / HTTP/1.1\r\nAuthorization: LIVE\r\n\r\n", "", "unknown", &[OtherHeader]);
        check(
            "GET / HTTP/1.1\r\nAuthorization: Basic BASIC\r\n\r\n",
            "",
            "unknown",
            &[OtherHeader],
        );
        check(
            "GET /LIVE?key=LIVE HTTP/1.1\r\nX-Api-Key: LIVE\r\n\r\n",
            "{\"key\":\"TEST\"}",
            "absent",
            &[OtherHeader, Path, Query, Body],
        );
    }

    #[test]
    fn other_secrets_are_found_apart_from_keys() {
        let places = |request: &str, body, route| {
            let (_, places) = scan(request, body, route);
            assert_eq!(places.keys, [], "{request}");
            places.secrets
        };
        let plain = "GET / HTTP/1.1\r\n\r\n";
        assert_eq!(places(plain, "{\"secret\":\"SIGNS\"}", Route::Clicks), [Body]);
        assert_eq!(places(plain, "{\"secret\":\"SIGNS\"}", Route::Webhooks), [], "a registration");
        assert_eq!(places("GET /?t=VAULT HTTP/1.1\r\n\r\n", "", Route::Unknown), [Query]);
        let bearer = "GET / HTTP/1.1\r\nAuthorization: Bearer VAULT\r\n\r\n";
        assert_eq!(places(bearer, "", Route::Unknown), [OtherHeader], "no place for this one");
    }
}
