//! Standard Webhooks 1.0: `v1,` and base64 over `{id}.{timestamp}.{body}`, a list while keys rotate.

use super::{Headers, Scheme, dotted, header, needed};
use crate::webhooks::event::WebhookEvent;
use crate::webhooks::oracle::Refusal;
use crate::webhooks::signing::{Signature, Stamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

pub(super) struct StandardWebhooks;

impl Scheme for StandardWebhooks {
    fn version(&self) -> &'static str {
        "v1"
    }

    fn key(&self, secret: &str) -> Option<Vec<u8>> {
        let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&key.len()).then_some(key)
    }

    fn secret_rule(&self) -> &'static str {
        "whsec_ and the base64 of 24 to 64 bytes"
    }

    fn covered(&self, id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
        dotted(&[id.as_bytes(), timestamp.as_bytes(), body])
    }

    fn covers_id(&self) -> bool {
        true
    }

    fn encode(&self, tag: &[u8]) -> String {
        STANDARD.encode(tag)
    }

    fn write(&self, stamp: &Stamp, _event: WebhookEvent) -> Headers {
        let mut headers =
            vec![header(ID, stamp.id.as_str()), header(TIMESTAMP, stamp.timestamp.as_str())];
        if let Some(signatures) = &stamp.signatures {
            let one = |signature: &Signature| format!("{},{}", signature.version, signature.tag);
            let list: Vec<_> = signatures.iter().map(one).collect();
            headers.push(header(SIGNATURE, list.join(" ")));
        }
        headers
    }

    fn read(&self, headers: &Headers) -> Result<Stamp, Refusal> {
        let signatures = needed(headers, SIGNATURE)?.split(' ').filter_map(|one| {
            let (version, tag) = one.split_once(',')?;
            Some(Signature { version: version.into(), tag: tag.into() })
        });
        Ok(Stamp {
            id: needed(headers, ID)?.to_owned(),
            timestamp: needed(headers, TIMESTAMP)?.to_owned(),
            signatures: Some(signatures.collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::SchemeName;
    use super::*;
    use crate::webhooks::oracle::Oracle;
    use crate::webhooks::signing::Letter;
    use proptest::prelude::*;
    use reqwest::header::HeaderMap;

    fn seal(secret: &str, id: &str, timestamp: i64, body: &str) -> Letter {
        let stamp = Stamp { id: id.into(), timestamp: timestamp.to_string(), signatures: None };
        let event = WebhookEvent::LinkClicked;
        let mut letter = Letter { stamp, event, body: body.into() };
        letter.sign(&StandardWebhooks, &[secret.to_owned()]);
        letter
    }

    fn signature(letter: &Letter) -> String {
        letter.headers(&StandardWebhooks).remove(2).1
    }

    /// The published vectors of the libraries for JavaScript and for Rust.
    #[test]
    fn the_published_vectors_come_out() {
        let check = |secret, id, timestamp, body, expected: &str| {
            assert_eq!(signature(&seal(secret, id, timestamp, body)), expected);
        };
        check(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        );
        check(
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        );
    }

    #[test]
    fn a_secret_is_the_base64_of_24_to_64_bytes_after_its_prefix() {
        let secret = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        let is_key = |secret: &str| StandardWebhooks.key(secret).is_some();
        assert!(is_key(&secret(24)) && is_key(&secret(64)));
        assert!(!is_key(&secret(23)) && !is_key(&secret(65)));
        assert!(!is_key("whsec_%") && !is_key("") && !is_key(&STANDARD.encode([7; 32])));
    }

    fn crate_says(secret: &str, letter: &Letter) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in letter.headers(&StandardWebhooks) {
            let name = reqwest::header::HeaderName::try_from(name).unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        standardwebhooks::Webhook::new(secret).unwrap().verify(&letter.body, &headers).is_ok()
    }

    fn oracle_says(secret: &str, letter: &Letter, now_s: i64) -> bool {
        let secrets = [secret.to_owned()];
        let scheme = SchemeName::StandardWebhooks;
        let oracle = Oracle { scheme, secrets: &secrets, now_s, tolerance_s: 300 };
        oracle.verify(&letter.headers(&StandardWebhooks), &letter.body).is_ok()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// The published library and our oracle agree on random letters, sealed and tampered with.
        #[test]
        fn the_published_library_agrees(
            key in prop::collection::vec(any::<u8>(), 24..=64),
            id in "[ -~]{0,40}",
            body in "\\PC{0,200}",
            age in -290_i64..290,
            spoil in any::<Option<(u8, u8)>>(),
        ) {
            let secret = format!("whsec_{}", STANDARD.encode(key));
            let now = crate::webhooks::oracle::unix_now();
            let mut letter = seal(&secret, &id, now - age, &body);
            prop_assert!(oracle_says(&secret, &letter, now) && crate_says(&secret, &letter));
            if let Some((at, bit)) = spoil {
                let list = letter.stamp.signatures.as_mut().unwrap();
                let mut text = list[0].tag.clone().into_bytes();
                // A flip among the lower six bits keeps the text printable or breaks it; both count.
                let at = usize::from(at) % text.len();
                text[at] = (text[at] ^ (1 << (bit % 6))).clamp(b'!', b'~');
                prop_assume!(list[0].tag.as_bytes() != text);
                list[0].tag = String::from_utf8(text).unwrap();
                prop_assert!(!oracle_says(&secret, &letter, now) && !crate_says(&secret, &letter));
            }
        }
    }
}
