//! Finds credentials in a request, and takes them out of whatever is recorded.

use super::head::Head;
use crate::desk::Token;
use crate::exchange::KeyPlace;
use crate::secrets::Secrets;

/// The run's keys, to look for.
pub(super) struct Scanner {
    live: String,
    test: String,
}

impl Scanner {
    pub fn new(secrets: &Secrets) -> Self {
        Self { live: secrets.api_key.clone(), test: secrets.test_key.clone() }
    }

    /// Whose key the request shows as its bearer.
    pub fn token(&self, head: &Head) -> Token {
        match head.header("authorization").as_deref().map(bearer) {
            None => Token::Absent,
            Some(Some(key)) if key == self.live => Token::Live,
            Some(Some(key)) if key == self.test => Token::Test,
            Some(_) => Token::Unknown,
        }
    }

    /// Everywhere that a known key stands, each place once.
    pub fn places(&self, head: &Head, body: &[u8]) -> Vec<KeyPlace> {
        let mut places = Vec::new();
        let mut note = |place| {
            if !places.contains(&place) {
                places.push(place);
            }
        };
        for (name, value) in &head.headers {
            let text = String::from_utf8_lossy(value);
            if !self.is_in(&text) {
                continue;
            }
            let is_bearer = name == "authorization" && bearer(text.trim()).is_some();
            note(if is_bearer { KeyPlace::BearerHeader } else { KeyPlace::OtherHeader });
        }
        let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
        if self.is_in(path) {
            note(KeyPlace::Path);
        }
        if self.is_in(query) {
            note(KeyPlace::Query);
        }
        if self.is_in(&String::from_utf8_lossy(body)) {
            note(KeyPlace::Body);
        }
        places
    }

    /// The text with every known key replaced by `[key]`.
    pub fn redacted(&self, text: &str) -> String {
        text.replace(&self.live, "[key]").replace(&self.test, "[key]")
    }

    fn is_in(&self, text: &str) -> bool {
        text.contains(&self.live) || text.contains(&self.test)
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

    fn check(request: &str, body: &str, token: Token, places: &[KeyPlace]) {
        let secrets = Secrets::derive(7, &ContractProfile::linktree_v1().keys);
        let fill =
            |text: &str| text.replace("LIVE", &secrets.api_key).replace("TEST", &secrets.test_key);
        let scanner = Scanner::new(&secrets);
        let Parsed::Whole(head) = Head::parse(fill(request).as_bytes()) else {
            panic!("{request}")
        };
        assert_eq!(scanner.token(&head), token, "{request}");
        assert_eq!(scanner.places(&head, fill(body).as_bytes()), places, "{request}");
        assert!(!scanner.redacted(&head.target).contains(&secrets.api_key));
    }

    #[test]
    fn keys_are_found_wherever_they_stand() {
        let bearer = KeyPlace::BearerHeader;
        check("GET / HTTP/1.1\r\n\r\n", "", Token::Absent, &[]);
        check("GET / HTTP/1.1\r\nAuthorization: Bearer LIVE\r\n\r\n", "", Token::Live, &[bearer]);
        check("GET / HTTP/1.1\r\nAuthorization: bearer TEST\r\n\r\n", "", Token::Test, &[bearer]);
        check("GET / HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n", "", Token::Unknown, &[]);
        check(
            "GET / HTTP/1.1\r\nAuthorization: LIVE\r\n\r\n",
            "",
            Token::Unknown,
            &[KeyPlace::OtherHeader],
        );
        check(
            "GET /LIVE?key=LIVE HTTP/1.1\r\nX-Api-Key: LIVE\r\n\r\n",
            "{\"key\":\"TEST\"}",
            Token::Absent,
            &[KeyPlace::OtherHeader, KeyPlace::Path, KeyPlace::Query, KeyPlace::Body],
        );
    }
}
