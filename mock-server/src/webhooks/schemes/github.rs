//! As GitHub signs: `X-Hub-Signature-256: sha256=…`, lower hex over the body alone.
//!
//! Neither id nor time is under the signature, and there is room for one signature only: while keys
//! rotate, the newest secret signs. The secret's text is the key.

use super::{Headers, Scheme, header, needed, value};
use crate::webhooks::event::WebhookEvent;
use crate::webhooks::oracle::Refusal;
use crate::webhooks::signing::{Signature, Stamp};

const ID: &str = "x-github-delivery";
const EVENT: &str = "x-github-event";
const SIGNATURE: &str = "x-hub-signature-256";

pub(super) struct Github;

impl Scheme for Github {
    fn version(&self) -> &'static str {
        "sha256"
    }

    fn covered(&self, _id: &str, _timestamp: &str, body: &[u8]) -> Vec<u8> {
        body.to_vec()
    }

    fn covers_timestamp(&self) -> bool {
        false
    }

    fn lists(&self) -> bool {
        false
    }

    fn write(&self, stamp: &Stamp, event: WebhookEvent) -> Headers {
        let mut headers = vec![header(ID, stamp.id.as_str()), header(EVENT, event.name())];
        if let Some(signatures) = &stamp.signatures {
            let one = signatures.first().map(|one| format!("{}={}", one.version, one.tag));
            headers.push(header(SIGNATURE, one.unwrap_or_default()));
        }
        headers
    }

    fn read(&self, headers: &Headers) -> Result<Stamp, Refusal> {
        let signature = needed(headers, SIGNATURE)?
            .split_once('=')
            .map(|(version, tag)| Signature { version: version.into(), tag: tag.into() });
        Ok(Stamp {
            id: value(headers, ID)?.unwrap_or_default().to_owned(),
            timestamp: String::new(),
            signatures: Some(signature.into_iter().collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::SchemeName;
    use super::super::testing::{SECRET, sealed};
    use super::*;
    use crate::webhooks::signing::{Letter, tag};

    #[test]
    fn the_headers_are_githubs() {
        let letter = sealed(SchemeName::Github);
        let expected = [
            header("x-github-delivery", letter.stamp.id.as_str()),
            header("x-github-event", "link.clicked"),
            header(
                "x-hub-signature-256",
                format!("sha256={}", hex::encode(tag(SECRET.as_bytes(), &letter.body))),
            ),
        ];
        assert_eq!(letter.headers(&Github), expected);
    }

    /// The example of GitHub's documentation, "Validating webhook deliveries".
    #[test]
    fn the_documented_example_comes_out() {
        let mut letter = Letter { body: b"Hello, World!".to_vec(), ..sealed(SchemeName::Github) };
        letter.sign(&Github, &["It's a Secret to Everybody".to_owned()]);
        let tag = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(letter.stamp.signatures.unwrap()[0].tag, tag);
    }
}
