//! Whether a delivery is authentic: a right signature over these bytes, at a time that is near enough.

use super::schemes::{Scheme, SchemeName};
use super::signing::{Stamp, same, tag};
use crate::clock::Clock;
use std::time::UNIX_EPOCH;

/// What a careful receiver knows.
#[derive(Clone, Copy)]
pub struct Oracle<'a> {
    /// The scheme of the contract.
    pub scheme: SchemeName,
    /// The secrets that are active now.
    pub secrets: &'a [String],
    /// Now, in seconds since the Unix epoch.
    pub now_s: i64,
    /// How far a timestamp may be from now, either way, in real seconds.
    pub tolerance_s: u32,
}

// A derived `Debug` would print the secrets.
impl std::fmt::Debug for Oracle<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let secrets = self.secrets.len();
        write!(f, "Oracle {{ {:?}, {secrets} secrets, now {} s }}", self.scheme, self.now_s)
    }
}

/// Why a delivery is not authentic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A header is not there.
    #[error("the header {name} is missing")]
    Missing {
        /// The header.
        name: &'static str,
    },
    /// Which of the two counts nobody can say.
    #[error("the header {name} stands twice")]
    Twice {
        /// The header.
        name: &'static str,
    },
    /// The timestamp is no decimal number of seconds.
    #[error("the timestamp is not readable")]
    Timestamp,
    /// The timestamp is older than the tolerance.
    #[error("the timestamp is too old")]
    TooOld,
    /// The timestamp is further ahead than the tolerance.
    #[error("the timestamp is in the future")]
    TooNew,
    /// No signature of the scheme's version fits any active secret.
    #[error("no signature is right")]
    Signature,
}

impl Oracle<'_> {
    /// Decides about one delivery, from its headers and the raw bytes of its body. Whether the id
    /// was seen before is not its business.
    ///
    /// # Errors
    ///
    /// The first [`Refusal`] that applies.
    pub fn verify(&self, headers: &[(String, String)], body: &[u8]) -> Result<(), Refusal> {
        let scheme = self.scheme.scheme();
        let stamp = scheme.read(&headers.to_vec())?;
        if scheme.covers_timestamp() {
            self.check_time(&stamp.timestamp)?;
        }
        if self.is_signed(scheme, &stamp, body) { Ok(()) } else { Err(Refusal::Signature) }
    }

    /// Standard Webhooks refuses what is *more* than the tolerance away.
    fn check_time(&self, text: &str) -> Result<(), Refusal> {
        let seconds = text.parse::<i64>().map_err(|_| Refusal::Timestamp)?;
        let tolerance = i64::from(self.tolerance_s);
        match self.now_s.saturating_sub(seconds) {
            _ if seconds.to_string() != text => Err(Refusal::Timestamp),
            age if age > tolerance => Err(Refusal::TooOld),
            age if age < -tolerance => Err(Refusal::TooNew),
            _ => Ok(()),
        }
    }

    /// Looks at every pair, so that its time does not tell which secret fits.
    fn is_signed(&self, scheme: &dyn Scheme, stamp: &Stamp, body: &[u8]) -> bool {
        let covered = scheme.covered(&stamp.id, &stamp.timestamp, body);
        let mut signed = false;
        for key in self.secrets.iter().filter_map(|secret| scheme.key(secret)) {
            let expected = scheme.encode(&tag(&key, &covered));
            for signature in stamp.signatures.iter().flatten() {
                let fits = same(expected.as_bytes(), signature.tag.as_bytes());
                signed |= fits && signature.version == scheme.version();
            }
        }
        signed
    }
}

/// Now, in whole seconds since the Unix epoch.
pub(super) fn unix_now() -> i64 {
    let since = Clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::schemes::testing::{NOW, SECRET, letter, sealed, verdict};
    use super::*;

    #[test]
    fn three_hundred_seconds_either_way_are_near_enough_and_301_are_not() {
        for name in SchemeName::ALL {
            let timeless = name == SchemeName::Github;
            let check = |now, expected: Result<(), Refusal>| {
                let expected = if timeless { Ok(()) } else { expected };
                assert_eq!(verdict(name, &sealed(name), now), expected, "{name:?} at {now}");
            };
            check(NOW + 300, Ok(()));
            check(NOW + 301, Err(Refusal::TooOld));
            check(NOW - 300, Ok(()));
            check(NOW - 301, Err(Refusal::TooNew));
        }
    }

    #[test]
    fn any_active_secret_will_do_and_a_retired_one_will_not() {
        let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
        for scheme in SchemeName::ALL {
            let letter = sealed(scheme);
            let check = |secrets: &[String], expected| {
                let oracle = Oracle { scheme, secrets, now_s: NOW, tolerance_s: 300 };
                let headers = letter.headers(scheme.scheme());
                assert_eq!(oracle.verify(&headers, &letter.body), expected, "{scheme:?}");
            };
            check(&[SECRET.into()], Ok(()));
            check(&[other.clone(), SECRET.into()], Ok(()));
            check(std::slice::from_ref(&other), Err(Refusal::Signature));
            check(&[], Err(Refusal::Signature));
        }
    }

    #[test]
    fn odd_headers_are_refused_with_the_reason() {
        let name = SchemeName::StandardWebhooks;
        let secrets = [SECRET.to_owned()];
        let oracle = Oracle { scheme: name, secrets: &secrets, now_s: NOW, tolerance_s: 300 };
        let whole = sealed(name).headers(name.scheme());
        let check = |headers: &[(String, String)], expected| {
            assert_eq!(oracle.verify(headers, &letter().body), Err(expected));
        };
        check(&whole[1..], Refusal::Missing { name: "webhook-id" });
        check(&whole[..2], Refusal::Missing { name: "webhook-signature" });
        let twice = [whole.clone(), whole.clone()].concat();
        check(&twice, Refusal::Twice { name: "webhook-signature" });
        for text in ["", "soon", "+1649367553", "01649367553", "1649367553.0", "9e99"] {
            let mut odd = whole.clone();
            odd[1].1 = text.to_owned();
            check(&odd, Refusal::Timestamp);
        }
        assert!(!format!("{oracle:?}").contains("whsec_"));
    }
}
