//! As Stripe signs: `Stripe-Signature: t=…,v1=…`, lower hex over `{t}.{body}`, one `v1` for each secret.
//!
//! There is no id in the headers; the body carries it. The secret's text, prefix and all, is the key.

use super::{Headers, Scheme, dotted, header, needed};
use crate::webhooks::event::WebhookEvent;
use crate::webhooks::oracle::Refusal;
use crate::webhooks::signing::{Signature, Stamp};

const SIGNATURE: &str = "stripe-signature";

pub(super) struct Stripe;

impl Scheme for Stripe {
    fn version(&self) -> &'static str {
        "v1"
    }

    fn covered(&self, _id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
        dotted(&[timestamp.as_bytes(), body])
    }

    fn write(&self, stamp: &Stamp, _event: WebhookEvent) -> Headers {
        let Some(signatures) = &stamp.signatures else { return Vec::new() };
        let mut parts = vec![format!("t={}", stamp.timestamp)];
        parts.extend(signatures.iter().map(|one| format!("{}={}", one.version, one.tag)));
        vec![header(SIGNATURE, parts.join(","))]
    }

    fn read(&self, headers: &Headers) -> Result<Stamp, Refusal> {
        let parts = needed(headers, SIGNATURE)?.split(',').filter_map(|part| part.split_once('='));
        let (times, signatures): (Vec<_>, Vec<_>) = parts.partition(|(name, _)| *name == "t");
        let [(_, timestamp)] = times[..] else { return Err(Refusal::Timestamp) };
        let signature =
            |(version, tag): (&str, &str)| Signature { version: version.into(), tag: tag.into() };
        Ok(Stamp {
            id: String::new(),
            timestamp: timestamp.to_owned(),
            signatures: Some(signatures.into_iter().map(signature).collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::SchemeName;
    use super::super::testing::{NOW, SECRET, sealed};
    use super::*;
    use crate::webhooks::signing::tag;

    #[test]
    fn the_header_holds_time_and_signature() {
        let letter = sealed(SchemeName::Stripe);
        let covered = [NOW.to_string().as_bytes(), b".", &letter.body].concat();
        let signature = hex::encode(tag(SECRET.as_bytes(), &covered));
        let expected = [header("stripe-signature", format!("t={NOW},v1={signature}"))];
        assert_eq!(letter.headers(&Stripe), expected);
    }

    #[test]
    fn a_header_with_no_time_or_two_is_refused() {
        for text in ["", "v1=00", "t=1,t=2,v1=00"] {
            let read = Stripe.read(&vec![header("Stripe-Signature", text)]);
            assert_eq!(read, Err(Refusal::Timestamp), "{text}");
        }
    }
}
