//! The signature schemes of the contract: what is covered, how it is written, how it is read.

mod github;
mod linktree_assumed;
mod standard_webhooks;
mod stripe;

use super::event::WebhookEvent;
use super::oracle::Refusal;
use super::signing::{Letter, Signature, Stamp};
use serde::{Deserialize, Serialize};

/// The schemes, by the names that a contract profile uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemeName {
    /// Standard Webhooks 1.0.
    StandardWebhooks,
    /// What Linktree might do; nobody has published it.
    LinktreeAssumed,
    /// As Stripe signs.
    Stripe,
    /// As GitHub signs.
    Github,
}

impl SchemeName {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::StandardWebhooks, Self::LinktreeAssumed, Self::Stripe, Self::Github];

    /// What is signed, with `{id}`, `{timestamp}` and `{body}` where these stand.
    #[must_use]
    pub fn covered_words(self) -> String {
        let covered = self.scheme().covered("{id}", "{timestamp}", b"{body}");
        String::from_utf8_lossy(&covered).into_owned()
    }

    /// What a secret looks like, to complete "the secret is …".
    #[must_use]
    pub fn secret_words(self) -> &'static str {
        self.scheme().secret_rule()
    }

    /// The headers of a delivery, beside its content type, with what they look like.
    #[must_use]
    pub fn example(self, event: WebhookEvent) -> Vec<(String, String)> {
        let scheme = self.scheme();
        let signature =
            Signature { version: scheme.version().to_owned(), tag: scheme.encode(&[0xa5; 32]) };
        let (id, timestamp) = ("msg_2b1f0c9d".to_owned(), "1767225600".to_owned());
        scheme.write(&Stamp { id, timestamp, signatures: Some(vec![signature]) }, event)
    }

    pub(super) fn scheme(self) -> &'static dyn Scheme {
        match self {
            Self::StandardWebhooks => &standard_webhooks::StandardWebhooks,
            Self::LinktreeAssumed => &linktree_assumed::LinktreeAssumed,
            Self::Stripe => &stripe::Stripe,
            Self::Github => &github::Github,
        }
    }
}

/// Headers in order, as they were sent or received; names in any case.
pub(super) type Headers = Vec<(String, String)>;

/// One scheme.
pub(super) trait Scheme: Sync {
    /// The label before a signature; empty for none.
    fn version(&self) -> &'static str;

    /// The key that a secret stands for; none when it is no secret of this scheme.
    fn key(&self, secret: &str) -> Option<Vec<u8>> {
        (!secret.is_empty()).then(|| secret.as_bytes().to_vec())
    }

    /// What a secret must look like, to complete "a secret is …".
    fn secret_rule(&self) -> &'static str {
        "any text that is not empty"
    }

    /// The bytes under the signature.
    fn covered(&self, id: &str, timestamp: &str, body: &[u8]) -> Vec<u8>;

    /// Whether the signature covers the id in the headers.
    fn covers_id(&self) -> bool {
        false
    }

    /// Whether the headers carry a timestamp, and the signature covers it.
    fn covers_timestamp(&self) -> bool {
        true
    }

    /// Whether there is room for more than one signature.
    fn lists(&self) -> bool {
        true
    }

    /// A tag as text.
    fn encode(&self, tag: &[u8]) -> String {
        hex::encode(tag)
    }

    /// The headers of a delivery, beside its content type.
    fn write(&self, stamp: &Stamp, event: WebhookEvent) -> Headers;

    /// What a receiver finds in the headers.
    fn read(&self, headers: &Headers) -> Result<Stamp, Refusal>;
}

impl Letter {
    /// The letter's headers under a scheme.
    pub fn headers(&self, scheme: &dyn Scheme) -> Headers {
        scheme.write(&self.stamp, self.event)
    }
}

/// The one value of a header, if it is there.
fn value<'a>(headers: &'a Headers, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    let mut found = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let first = found.next().map(|(_, value)| value.as_str());
    if found.next().is_some() { Err(Refusal::Twice { name }) } else { Ok(first) }
}

fn needed<'a>(headers: &'a Headers, name: &'static str) -> Result<&'a str, Refusal> {
    value(headers, name)?.ok_or(Refusal::Missing { name })
}

fn header(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

fn dotted(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(&b'.')
}

/// What the tests of schemes, oracle and forgeries share.
#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::webhooks::oracle::Oracle;

    /// From the tests of the Standard Webhooks library for Rust; so are id, time and body.
    pub const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    pub const NOW: i64 = 1_649_367_553;

    /// An unsigned letter that every scheme can send.
    pub fn letter() -> Letter {
        let body = br#"{"id":"msg_27UH4WbU6Z5A5EzD8u03UvzRbpk","type":"link.clicked","created_at":"2022-04-07T21:39:13Z","data":{"handle":"a-0001","nonce":"w-1"}}"#;
        Letter {
            stamp: Stamp {
                id: "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".into(),
                timestamp: NOW.to_string(),
                signatures: None,
            },
            event: WebhookEvent::LinkClicked,
            body: body.to_vec(),
        }
    }

    /// A letter signed with [`SECRET`].
    pub fn sealed(scheme: SchemeName) -> Letter {
        let mut letter = letter();
        letter.sign(scheme.scheme(), &[SECRET.to_owned()]);
        letter
    }

    /// What the oracle says of a letter, at a time.
    pub fn verdict(name: SchemeName, letter: &Letter, now_s: i64) -> Result<(), Refusal> {
        let secrets = [SECRET.to_owned()];
        let oracle = Oracle { scheme: name, secrets: &secrets, now_s, tolerance_s: 300 };
        oracle.verify(&letter.headers(name.scheme()), &letter.body)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{NOW, sealed, verdict};
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_a_scheme_writes_it_reads_and_verifies() {
        for name in SchemeName::ALL {
            let (scheme, letter) = (name.scheme(), sealed(name));
            let read = scheme.read(&letter.headers(scheme)).unwrap();
            assert_eq!(read.signatures, letter.stamp.signatures, "{name:?}");
            assert_eq!(verdict(name, &letter, NOW), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn every_file_of_the_folder_is_a_scheme() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/webhooks/schemes");
        let stem = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.unwrap().path().file_stem().unwrap().to_str().unwrap().replace('_', "-")
        };
        let mut files: BTreeSet<_> = std::fs::read_dir(folder).unwrap().map(stem).collect();
        files.remove("mod");
        let names = SchemeName::ALL
            .map(|name| serde_json::to_value(name).unwrap().as_str().unwrap().to_owned());
        assert_eq!(files, BTreeSet::from(names));
    }
}
