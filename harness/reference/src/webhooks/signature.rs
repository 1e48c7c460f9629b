//! Whether a delivery is Linktree's own, and of now: a right signature over the bytes that came.
//!
//! Both schemes of the contract are understood: Standard Webhooks, and what Linktree is assumed to do
//! with headers of its own.

use super::policy::WebhookPolicy;
use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Why a delivery is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// What signs and dates it is missing, or makes no sense.
    Unsigned,
    /// No signature is right.
    Signature,
    /// It is too old, or from the future.
    Stale,
}

/// A delivery that is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its id as it was sent, for people.
    pub id: String,
    /// What tells it apart: only what is signed.
    pub key: String,
}

/// Knows what a right signature looks like.
pub struct Verifier {
    policy: WebhookPolicy,
}

/// What the headers say.
struct Stamp<'a> {
    id: &'a str,
    timestamp: &'a str,
    /// The signed bytes before the body.
    before: String,
    key: Vec<u8>,
    signatures: Vec<Vec<u8>>,
    signs_id: bool,
}

impl Verifier {
    /// Believes whoever signs with the secret that is in force when a delivery comes.
    pub const fn new(policy: WebhookPolicy) -> Self {
        Self { policy }
    }

    /// Checks a delivery that came at `now_s`, in seconds since 1970, while `secret` is in force.
    ///
    /// # Errors
    /// With the reason why it is not believed.
    pub fn check(
        &self,
        secret: &str,
        (headers, body): (&HeaderMap, &[u8]),
        now_s: u64,
        tolerance: Duration,
    ) -> Result<Sealed, Refusal> {
        let stamp = standard(secret, headers).or_else(|| assumed(secret, headers));
        let Some(stamp) = stamp else {
            return if self.policy.checks_signatures {
                Err(Refusal::Unsigned)
            } else {
                Ok(unsigned(headers, body))
            };
        };
        let covered = (self.policy.covered)(body);
        let right = tag(&stamp.key, &[stamp.before.as_bytes(), &covered]);
        let signatures = stamp.signatures.iter().take(self.policy.signatures);
        // Each is looked at, so that the time says nothing of which one was right.
        let fits = signatures.fold(false, |fits, one| fits | (self.policy.same)(&right, one));
        if !fits && self.policy.checks_signatures {
            return Err(Refusal::Signature);
        }
        let sent_s: u64 = stamp.timestamp.parse().map_err(|_| Refusal::Unsigned)?;
        if Duration::from_secs(now_s.abs_diff(sent_s)) > (self.policy.tolerance)(tolerance) {
            return Err(Refusal::Stale);
        }
        let id = stamp.id.to_owned();
        let key = if stamp.signs_id { id.clone() } else { hex::encode(Sha256::digest(body)) };
        Ok(Sealed { id, key })
    }
}

/// Standard Webhooks 1.0: `v1,` and base64 over `{id}.{timestamp}.{body}`.
fn standard<'a>(secret: &str, headers: &'a HeaderMap) -> Option<Stamp<'a>> {
    let list = header(headers, "webhook-signature")?;
    let (id, timestamp) = (header(headers, "webhook-id")?, header(headers, "webhook-timestamp")?);
    let signatures = list.split(' ').filter_map(|one| one.strip_prefix("v1,"));
    Some(Stamp {
        id,
        timestamp,
        before: format!("{id}.{timestamp}."),
        key: STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?,
        signatures: signatures.filter_map(|one| STANDARD.decode(one).ok()).collect(),
        signs_id: true,
    })
}

/// Linktree's own headers: hex over `{timestamp}.{body}`, with an id that nothing signs.
fn assumed<'a>(secret: &str, headers: &'a HeaderMap) -> Option<Stamp<'a>> {
    let list = header(headers, "x-linktree-signature")?;
    let timestamp = header(headers, "x-linktree-timestamp")?;
    let signatures = list.split(',').map(str::trim);
    Some(Stamp {
        id: header(headers, "x-linktree-delivery-id").unwrap_or_default(),
        timestamp,
        before: format!("{timestamp}."),
        key: secret.as_bytes().to_vec(),
        signatures: signatures.filter_map(|one| hex::decode(one).ok()).collect(),
        signs_id: false,
    })
}

fn unsigned(headers: &HeaderMap, body: &[u8]) -> Sealed {
    let id = header(headers, "webhook-id").or_else(|| header(headers, "x-linktree-delivery-id"));
    let key = hex::encode(Sha256::digest(body));
    Sealed { id: id.unwrap_or_default().to_owned(), key }
}

/// The one value of a header; of two nobody knows which counts.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn tag(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the tests of the Standard Webhooks library for Rust; so are id, time, body and signature.
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const RIGHT: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
    const AT: u64 = 1_649_367_553;

    fn headers(signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
            ("webhook-timestamp", "1649367553"),
            ("webhook-signature", signature),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    }

    fn checked(headers: &HeaderMap, body: &[u8], now_s: u64) -> Result<Sealed, Refusal> {
        let verifier = Verifier::new(WebhookPolicy::default());
        verifier.check(SECRET, (headers, body), now_s, Duration::from_secs(300))
    }

    #[test]
    fn the_published_vector_is_believed_and_what_differs_is_not() {
        let check = |signature: &str, now_s, expected: Option<Refusal>| {
            let sealed = checked(&headers(signature), BODY, now_s);
            assert_eq!(sealed.as_ref().err(), expected.as_ref(), "{signature}");
        };
        check(RIGHT, AT, None);
        check(&format!("v1,AAAA v2,x {RIGHT}"), AT, None);
        check(RIGHT, AT + 300, None);
        check(RIGHT, AT + 301, Some(Refusal::Stale));
        check(RIGHT, AT - 301, Some(Refusal::Stale));
        check("", AT, Some(Refusal::Signature));
        check(&RIGHT.replace("v1,", "v1a,"), AT, Some(Refusal::Signature));
        check("v1,tZ1I4/hDygAJgO5TYxiSdw==", AT, Some(Refusal::Signature));
        assert_eq!(checked(&headers(RIGHT), b"{}", AT), Err(Refusal::Signature));
        assert_eq!(checked(&HeaderMap::new(), BODY, AT), Err(Refusal::Unsigned));
        let mut twice = headers(RIGHT);
        twice.append("webhook-id", "other".parse().unwrap());
        assert_eq!(checked(&twice, BODY, AT), Err(Refusal::Unsigned));
    }

    #[test]
    fn linktrees_own_headers_are_understood_and_an_unsigned_id_tells_nothing_apart() {
        let signed = |id: &str, body: &[u8]| {
            let signature = hex::encode(tag(SECRET.as_bytes(), &[b"1649367553.", BODY]));
            let mut headers = HeaderMap::new();
            for (name, value) in [
                ("x-linktree-delivery-id", id),
                ("x-linktree-timestamp", "1649367553"),
                ("x-linktree-signature", &format!("00, {signature}")),
            ] {
                headers.insert(name, value.parse().unwrap());
            }
            checked(&headers, body, AT)
        };
        let (one, other) = (signed("a", BODY).unwrap(), signed("b", BODY).unwrap());
        assert_eq!((one.id.as_str(), &one.key), ("a", &other.key));
        assert_eq!(signed("a", b"{}"), Err(Refusal::Signature));
    }
}
