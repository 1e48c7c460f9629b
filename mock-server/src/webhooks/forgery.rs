//! Forged deliveries: sealed as they should be, and then spoiled in one way that a receiver must notice.

use super::schemes::Scheme;
use super::signing::{Letter, Signature, tag};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;

/// One way to spoil a delivery; everything else about it stays right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forgery {
    /// One bit of the body is flipped, in the last digit of `created_at`: still JSON.
    BodyBit,
    /// One bit of the signature is flipped.
    SignatureBit,
    /// The message was signed under another id. Where no signature covers the id in the headers,
    /// the one in the body differs too.
    Id,
    /// The message was signed a second later. Where no header carries a time, `created_at` differs.
    Timestamp,
    /// The same JSON in other bytes: a space after the first brace.
    Reserialised,
    /// Signed with a secret that was never this receiver's.
    WrongSecret,
    /// The first half of the signature.
    Truncated,
    /// A signature header without a signature.
    Empty,
    /// No signature header.
    Missing,
    /// HMAC-SHA1 under the name of HMAC-SHA256.
    Sha1,
    /// The right tag under a version that names another algorithm.
    V1a,
    /// The right tag in upper-case hex, which no scheme of the contract writes. A receiver that
    /// decodes hex before it compares will take it; the contract says lower case.
    UpperCaseHex,
}

/// What sealing a letter takes.
pub(super) struct Sealing<'a> {
    pub scheme: &'static dyn Scheme,
    /// The active secrets, newest first.
    pub secrets: &'a [String],
    /// A secret that nobody knows.
    pub stranger: &'a str,
}

impl Forgery {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::BodyBit,
        Self::SignatureBit,
        Self::Id,
        Self::Timestamp,
        Self::Reserialised,
        Self::WrongSecret,
        Self::Truncated,
        Self::Empty,
        Self::Missing,
        Self::Sha1,
        Self::V1a,
        Self::UpperCaseHex,
    ];

    /// Spoils a sealed letter.
    pub(super) fn spoil(self, letter: &mut Letter, sealing: &Sealing<'_>) {
        let scheme = sealing.scheme;
        match self {
            Self::BodyBit => flip_created_at(&mut letter.body),
            Self::Timestamp if !scheme.covers_timestamp() => flip_created_at(&mut letter.body),
            Self::Timestamp => {
                let seconds: i64 = letter.stamp.timestamp.parse().unwrap_or_default();
                letter.stamp.timestamp = (seconds - 1).to_string();
            }
            Self::Id => {
                let id = std::mem::take(&mut letter.stamp.id);
                letter.stamp.id = other_id(&id);
                if !scheme.covers_id() {
                    replace(&mut letter.body, id.as_bytes(), letter.stamp.id.as_bytes());
                }
            }
            Self::Reserialised => letter.body.insert(1.min(letter.body.len()), b' '),
            Self::WrongSecret => letter.sign(scheme, &[sealing.stranger.to_owned()]),
            Self::Empty => letter.stamp.signatures = Some(Vec::new()),
            Self::Missing => letter.stamp.signatures = None,
            Self::V1a => {
                let version = match scheme.version() {
                    "" => "v1a".to_owned(),
                    known => format!("{known}a"),
                };
                for signature in letter.stamp.signatures.iter_mut().flatten() {
                    signature.version.clone_from(&version);
                }
            }
            Self::SignatureBit => sign_otherwise(letter, sealing, |key, covered| {
                let mut tag = tag(key, covered);
                tag[0] ^= 1;
                scheme.encode(&tag)
            }),
            Self::Truncated => sign_otherwise(letter, sealing, |key, covered| {
                scheme.encode(&tag(key, covered)[..16])
            }),
            Self::Sha1 => sign_otherwise(letter, sealing, |key, covered| {
                scheme.encode(&sha1_tag(key, covered))
            }),
            Self::UpperCaseHex => {
                sign_otherwise(letter, sealing, |key, covered| hex::encode_upper(tag(key, covered)))
            }
        }
    }
}

/// Signs with every active secret as usual, except for how key and message become text.
fn sign_otherwise(
    letter: &mut Letter,
    sealing: &Sealing<'_>,
    text: impl Fn(&[u8], &[u8]) -> String,
) {
    let scheme = sealing.scheme;
    let covered = scheme.covered(&letter.stamp.id, &letter.stamp.timestamp, &letter.body);
    let keys = sealing.secrets.iter().filter_map(|secret| scheme.key(secret));
    let signature =
        |key: Vec<u8>| Signature { version: scheme.version().into(), tag: text(&key, &covered) };
    letter.stamp.signatures = Some(keys.map(signature).collect());
}

fn sha1_tag(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Another id of the same form.
fn other_id(id: &str) -> String {
    let last = if id.ends_with('0') { '1' } else { '0' };
    let mut id = id.to_owned();
    id.pop();
    id.push(last);
    id
}

fn replace(body: &mut Vec<u8>, old: &[u8], new: &[u8]) {
    if let Some(at) = find(body, old) {
        body.splice(at..at + old.len(), new.iter().copied());
    }
}

/// Flips the lowest bit of the seconds: any digit becomes its neighbour, any time stays a time.
fn flip_created_at(body: &mut [u8]) {
    const BEFORE: &[u8] = b"\"created_at\":\"";
    const UP_TO_LAST_DIGIT: usize = "2026-01-01T00:00:0".len();
    let Some(at) = find(body, BEFORE) else { return };
    if let Some(digit) = body.get_mut(at + BEFORE.len() + UP_TO_LAST_DIGIT) {
        *digit ^= 1;
    }
}

fn find(body: &[u8], what: &[u8]) -> Option<usize> {
    if what.is_empty() { None } else { body.windows(what.len()).position(|part| part == what) }
}

#[cfg(test)]
mod tests {
    use super::super::oracle::Refusal;
    use super::super::schemes::SchemeName;
    use super::super::schemes::testing::{NOW, SECRET, sealed, verdict};
    use super::*;

    const STRANGER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn forged(name: SchemeName, how: Forgery) -> Letter {
        let mut letter = sealed(name);
        let secrets = [SECRET.to_owned()];
        let sealing = Sealing { scheme: name.scheme(), secrets: &secrets, stranger: STRANGER };
        how.spoil(&mut letter, &sealing);
        letter
    }

    #[test]
    fn the_oracle_refuses_every_forgery_under_every_scheme_for_its_signature() {
        for name in SchemeName::ALL {
            for how in Forgery::ALL {
                let refusal =
                    verdict(name, &forged(name, how), NOW).expect_err(&format!("{how:?}"));
                if how == Forgery::Missing {
                    assert!(matches!(refusal, Refusal::Missing { .. }), "{name:?}");
                } else {
                    assert_eq!(refusal, Refusal::Signature, "{name:?} {how:?}");
                }
            }
        }
    }

    /// The published library must refuse them as well, at a time when it takes the genuine letter.
    #[test]
    fn the_published_library_refuses_every_forgery_too() {
        let name = SchemeName::StandardWebhooks;
        let takes = |letter: &Letter| {
            let mut headers = reqwest::header::HeaderMap::new();
            for (name, value) in letter.headers(name.scheme()) {
                let name = reqwest::header::HeaderName::try_from(name).unwrap();
                headers.insert(name, value.parse().unwrap());
            }
            let library = standardwebhooks::Webhook::new(SECRET).unwrap();
            library.verify(&letter.body, &headers).is_ok()
        };
        let fresh = || {
            let mut letter = sealed(name);
            letter.stamp.timestamp = super::super::oracle::unix_now().to_string();
            letter.sign(name.scheme(), &[SECRET.to_owned()]);
            letter
        };
        assert!(takes(&fresh()));
        for how in Forgery::ALL {
            let mut letter = fresh();
            let secrets = [SECRET.to_owned()];
            let sealing = Sealing { scheme: name.scheme(), secrets: &secrets, stranger: STRANGER };
            how.spoil(&mut letter, &sealing);
            assert!(!takes(&letter), "{how:?}");
        }
    }

    #[test]
    fn a_forged_body_is_still_json_about_the_same_thing() {
        for name in SchemeName::ALL {
            let read = |letter: &Letter| {
                serde_json::from_slice::<serde_json::Value>(&letter.body).unwrap()
            };
            let genuine = read(&sealed(name));
            for how in Forgery::ALL {
                let forged = read(&forged(name, how));
                assert_eq!(forged["data"], genuine["data"], "{name:?} {how:?}");
                let changed = forged != genuine;
                let expected = match how {
                    Forgery::BodyBit => true,
                    Forgery::Id => name != SchemeName::StandardWebhooks,
                    Forgery::Timestamp => name == SchemeName::Github,
                    _ => false,
                };
                assert_eq!(changed, expected, "{name:?} {how:?}");
            }
        }
    }
}
