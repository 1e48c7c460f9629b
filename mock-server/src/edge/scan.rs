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
        let value = head.headers.all("authorization").next().map(String::from_utf8_lossy);
        match value.as_deref().map(|value| bearer(value.trim())) {
            None => Token::absent(),
            Some(None) => Token::unknown(),
            Some(Some(key)) => self.0.token(key, at),
        }
    }

    /// Everywhere that a known credential stands.
    pub fn places(&self, route: Route, head: &Head, is_suspicious: bool, body: &[u8]) -> Places {
        let scanner = self.0.scanner();
        let mut places = Places::default();
        if is_suspicious {
            self.add_places_in_head(head, &mut places);
        } else {
            head.headers.all("authorization").for_each(|value| self.add_bearer(value, &mut places));
        }
        let mut found = scanner.find(body);
        // A registration says with which secret its webhooks shall be signed.
        found.other &= route != Route::Webhooks;
        places.add(found, KeyPlace::Body);
        places
    }

    /// Whether a credential stands in the head anywhere but as its first bearer: almost never, so that the
    /// whole is searched first, and its parts only then.
    pub fn is_suspicious(&self, head: &Head) -> bool {
        let scanner = self.0.scanner();
        let [before, after] = head.headers.around("authorization");
        let mut all = [head.method.as_bytes(), head.target.as_bytes(), before, after].into_iter();
        all.any(|text| scanner.find(text) != Found::default())
    }

    fn add_places_in_head(&self, head: &Head, places: &mut Places) {
        let scanner = self.0.scanner();
        for (name, value) in head.headers.iter() {
            if name == "authorization" {
                self.add_bearer(value, places);
                continue;
            }
            places.add(scanner.find(value), KeyPlace::OtherHeader);
        }
        let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
        places.add(scanner.find(path.as_bytes()), KeyPlace::Path);
        places.add(scanner.find(query.as_bytes()), KeyPlace::Query);
    }

    fn add_bearer(&self, value: &[u8], places: &mut Places) {
        let found = self.0.scanner().find(value);
        if found == Found::default() {
            return;
        }
        // Only a key has its place there; any other credential is in the wrong header.
        let is_bearer = bearer(String::from_utf8_lossy(value).trim()).is_some();
        let key = if is_bearer { KeyPlace::BearerHeader } else { KeyPlace::OtherHeader };
        places.add(found.only(Kind::ApiKey), key);
        places.add(found.only(Kind::Other), KeyPlace::OtherHeader);
    }

    /// Takes credentials out of ids that the routes read from the body.
    pub fn clean_receipts(keys: &Keyring, record: &mut Exchange) {
        let found = [&record.key_places, &record.secret_places];
        if found.iter().any(|places| places.contains(&KeyPlace::Body)) {
            let scanner = Self::new(keys);
            for click in &mut record.clicks {
                click.event_id = scanner.redacted(&click.event_id).into_owned();
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
    use proptest::prelude::*;

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
        let is_suspicious = scanner.is_suspicious(&head);
        let places = scanner.places(route, &head, is_suspicious, fill(body).as_bytes());
        // The quick way finds what the thorough one finds.
        assert_eq!(scanner.places(route, &head, true, fill(body).as_bytes()), places);
        (scanner.token(&head, Moment::ZERO), places)
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

    fn piece() -> impl Strategy<Value = String> {
        let secret = "LIVE|SIGNS|VAULT|%4cIVE|L\\u0049VE|=4CIVE|TEST".split('|');
        let noise = "%|%4|=|=3|&|&#x4|\\|\\u00| |a|?|VAUL|,".split('|');
        let all: Vec<String> = secret.chain(noise).map(str::to_owned).collect();
        prop::sample::select(all)
    }

    proptest! {
        /// Where the whole head holds nothing, no part of it does, however its parts are cut and escaped.
        #[test]
        fn what_is_searched_at_once_is_searched_no_worse_than_piece_by_piece(
            fields in prop::collection::vec(
                ("[a-z%=&]{1,3}|authorization", prop::collection::vec(piece(), 0..4)),
                0..5,
            ),
            target in prop::collection::vec(piece(), 0..4),
        ) {
            let profile = ContractProfile::linktree_v1();
            let keys = Keyring::new(7, &profile.keys, &profile.vault);
            keys.open_vault_with(VAULT);
            let key = keys.api_key();
            let fill = |text: String| {
                let escaped = format!("%{:02x}{}", key.as_bytes()[0], &key[1..]);
                text.replace("%4cIVE", &escaped)
                    .replace("L\\u0049VE", &key.replacen('_', "\\u005f", 1))
                    .replace("=4CIVE", &format!("={:02X}{}", key.as_bytes()[0], &key[1..]))
                    .replace("LIVE", &key)
                    .replace("TEST", &keys.other_key())
                    .replace("SIGNS", &keys.webhook_secret())
                    .replace("VAULT", VAULT)
            };
            let mut text = format!("GET /{} HTTP/1.1\r\n", fill(target.concat()).replace(' ', ""));
            for (name, value) in fields {
                text.push_str(&format!("{name}: {}\r\n", fill(value.concat())));
            }
            text.push_str("\r\n");
            let Parsed::Whole(head) = Head::parse(text.as_bytes()) else {
                return Err(TestCaseError::reject("no request"));
            };
            let scanner = Scanner::new(&keys);
            let is_suspicious = scanner.is_suspicious(&head);
            let quick = scanner.places(Route::Unknown, &head, is_suspicious, b"");
            prop_assert_eq!(&quick, &scanner.places(Route::Unknown, &head, true, b""));
            if !is_suspicious {
                prop_assert_eq!(&*scanner.redacted(&head.target), &*head.target);
                for (name, value) in head.headers.iter().filter(|(name, _)| *name != "authorization") {
                    let value = String::from_utf8_lossy(value);
                    prop_assert_eq!(&*scanner.redacted(&value), &*value, "{}", name);
                }
            }
        }
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
