//! Creators' sessions: who shows a token, if it is good.
//!
//! A token is `<handle>.<hex of hmac-sha256(secret, handle)>` in `Authorization: Bearer`. Whose it is
//! follows from the token alone; what may be seen with it is decided where something is shown.

use crate::linktree::is_handle;
use axum::http::{HeaderMap, header::AUTHORIZATION};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// Whether a code vouches for a handle under a secret.
pub type Verify = fn(&[u8], &str, &[u8]) -> bool;

/// Reads sessions.
#[derive(Clone)]
pub struct Sessions {
    /// Without one nobody has a session.
    secret: Option<String>,
    verify: Verify,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions(hidden)")
    }
}

impl Sessions {
    /// Sessions that are signed with this secret.
    pub fn new(secret: Option<String>, verify: Verify) -> Self {
        Self { secret, verify }
    }

    /// The creator whose session this request shows.
    pub fn principal(&self, headers: &HeaderMap) -> Option<String> {
        let secret = self.secret.as_ref()?;
        let mut shown = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (shown.next(), shown.next()) else { return None };
        // Handles may hold dots, codes hold none.
        let (handle, code) = value.to_str().ok()?.strip_prefix("Bearer ")?.rsplit_once('.')?;
        let code = hex::decode(code).ok()?;
        let good = is_handle(handle) && (self.verify)(secret.as_bytes(), handle, &code);
        good.then(|| handle.to_owned())
    }
}

/// Compares the whole code in constant time: the time that a comparison takes must not tell how much of
/// a guess is right.
pub fn whole_code(secret: &[u8], handle: &str, code: &[u8]) -> bool {
    let mac = Hmac::<Sha256>::new_from_slice(secret).map(|mac| mac.chain_update(handle));
    mac.is_ok_and(|mac| mac.verify_slice(code).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "session-secret";

    fn token(handle: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        let code = mac.chain_update(handle).finalize().into_bytes();
        format!("{handle}.{}", hex::encode(code))
    }

    #[track_caller]
    fn check(shown: &[String], expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        for value in shown {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        let sessions = Sessions::new(Some(SECRET.to_owned()), whole_code);
        assert_eq!(sessions.principal(&headers).as_deref(), expected, "{shown:?}");
        let closed = Sessions::new(None, whole_code);
        assert_eq!(closed.principal(&headers), None, "without a secret nobody is let in");
    }

    #[test]
    fn only_a_whole_good_token_names_a_creator() {
        let good = format!("Bearer {}", token("ann.b"));
        check(std::slice::from_ref(&good), Some("ann.b"));
        check(&[], None);
        check(&[good.clone(), good.clone()], None);
        for bad in [
            good[..good.len() - 32].to_owned(),
            good.replace("ann.b", "ann.c"),
            good.replace("Bearer ", "Basic "),
            good.replace("ann.b", "ANN.B"),
            "Bearer ann.b.".to_owned(),
            "Bearer ann".to_owned(),
            format!("Bearer {}", token("Ann")),
        ] {
            check(&[bad], None);
        }
    }
}
