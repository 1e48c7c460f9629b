//! What Linktree might do: lower hex over `{timestamp}.{body}` in headers of its own.
//!
//! The delivery id stands outside the signature, so it proves nothing by itself: the id in the body
//! does. While keys rotate, the signature header holds one value for each active secret, newest
//! first, separated by commas (RFC 9110 section 5.3). The secret's text is the key.

use super::{Headers, Scheme, dotted, header, needed, value};
use crate::webhooks::event::WebhookEvent;
use crate::webhooks::oracle::Refusal;
use crate::webhooks::signing::{Signature, Stamp};

const ID: &str = "x-linktree-delivery-id";
const TIMESTAMP: &str = "x-linktree-timestamp";
const SIGNATURE: &str = "x-linktree-signature";

pub(super) struct LinktreeAssumed;

impl Scheme for LinktreeAssumed {
    fn version(&self) -> &'static str {
        ""
    }

    fn covered(&self, _id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
        dotted(&[timestamp.as_bytes(), body])
    }

    fn write(&self, stamp: &Stamp, _event: WebhookEvent) -> Headers {
        let mut headers =
            vec![header(ID, stamp.id.as_str()), header(TIMESTAMP, stamp.timestamp.as_str())];
        if let Some(signatures) = &stamp.signatures {
            let one = |signature: &Signature| match signature.version.as_str() {
                "" => signature.tag.clone(),
                version => format!("{version}={}", signature.tag),
            };
            let list: Vec<_> = signatures.iter().map(one).collect();
            headers.push(header(SIGNATURE, list.join(",")));
        }
        headers
    }

    fn read(&self, headers: &Headers) -> Result<Stamp, Refusal> {
        let signatures = needed(headers, SIGNATURE)?.split(',').map(|one| {
            let (version, tag) = one.trim().split_once('=').unwrap_or(("", one.trim()));
            Signature { version: version.into(), tag: tag.into() }
        });
        Ok(Stamp {
            id: value(headers, ID)?.unwrap_or_default().to_owned(),
            timestamp: needed(headers, TIMESTAMP)?.to_owned(),
            signatures: Some(signatures.collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::SchemeName;
    use super::super::testing::{NOW, SECRET, sealed};
    use crate::webhooks::signing::tag;

    #[test]
    fn the_headers_are_those_of_the_contract() {
        let letter = sealed(SchemeName::LinktreeAssumed);
        let headers = letter.headers(&super::LinktreeAssumed);
        let covered = [NOW.to_string().as_bytes(), b".", &letter.body].concat();
        let signature = hex::encode(tag(SECRET.as_bytes(), &covered));
        let expected = [
            ("x-linktree-delivery-id", letter.stamp.id.as_str()),
            ("x-linktree-timestamp", letter.stamp.timestamp.as_str()),
            ("x-linktree-signature", signature.as_str()),
        ];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
