//! AWS Signature Version 4, as the signature of a request's `Authorization` header is checked.
//!
//! How old a signature is goes unchecked: the mock's clients live with it on one machine.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What an `Authorization` header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signed<'h> {
    pub access_key_id: &'h str,
    pub date: &'h str,
    pub region: &'h str,
    pub service: &'h str,
    signed_headers: &'h str,
    signature: &'h str,
}

impl<'h> Signed<'h> {
    /// Reads the header; none where a part of it is missing or misshapen.
    pub fn read(header: &'h str) -> Option<Self> {
        let rest = header.strip_prefix(ALGORITHM)?;
        let part = |name: &str| {
            let mut parts = rest.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let mut scope = part("Credential")?.split('/');
        let mut next = || scope.next().filter(|part| !part.is_empty());
        let (access_key_id, date) = (next()?, next()?);
        let (region, service, end) = (next()?, next()?, next()?);
        let signed = Self {
            access_key_id,
            date,
            region,
            service,
            signed_headers: part("SignedHeaders")?,
            signature: part("Signature")?,
        };
        (end == "aws4_request" && scope.next().is_none()).then_some(signed)
    }

    /// Whether the request was signed with this secret.
    pub fn is_by(&self, secret: &str, parts: &Parts, body: &[u8]) -> bool {
        let Some(expected) = self.signature_with(secret, parts, body) else { return false };
        expected.as_bytes().ct_eq(self.signature.as_bytes()).into()
    }

    fn signature_with(&self, secret: &str, parts: &Parts, body: &[u8]) -> Option<String> {
        let stamp = text(&parts.headers, "x-amz-date")?;
        let hashed = hex::encode(Sha256::digest(body));
        let header = |name: &str| {
            let values = parts.headers.get_all(name).iter().map(|value| value.to_str().ok());
            let values: Option<Vec<_>> = values.map(|value| value.map(single_spaced)).collect();
            Some(format!("{name}:{}\n", values?.join(",")))
        };
        let headers: Option<String> = self.signed_headers.split(';').map(header).collect();
        let mut query: Vec<&str> = parts
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .collect();
        query.sort_unstable();
        let request = [
            parts.method.as_str(),
            parts.uri.path(),
            &query.join("&"),
            &headers?,
            self.signed_headers,
            &hashed,
        ]
        .join("\n");
        let scope = [self.date, self.region, self.service, "aws4_request"];
        let to_sign =
            [ALGORITHM, stamp, &scope.join("/"), &hex::encode(Sha256::digest(request.as_bytes()))]
                .join("\n");
        let first = format!("AWS4{secret}").into_bytes();
        let key = scope.iter().fold(first, |key, part| mac(&key, part.as_bytes()));
        Some(hex::encode(mac(&key, to_sign.as_bytes())))
    }
}

/// The text of a header.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn single_spaced(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    /// "get-vanilla-query-order-key-case" of the suite that AWS published for the algorithm.
    #[test]
    fn the_signature_is_that_of_the_published_suite() {
        const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        const HEADER: &str = "AWS4-HMAC-SHA256 \
            Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
            SignedHeaders=host;x-amz-date, \
            Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
        let request = Request::get("/?Param2=value2&Param1=value1")
            .header("host", "example.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z")
            .body(())
            .unwrap();
        let parts = request.into_parts().0;
        let signed = Signed::read(HEADER).unwrap();
        assert_eq!((signed.access_key_id, signed.service), ("AKIDEXAMPLE", "service"));
        assert!(signed.is_by(SECRET, &parts, b""));
        assert!(!signed.is_by(SECRET, &parts, b"x"));
        assert!(!signed.is_by("another", &parts, b""));
    }

    #[test]
    fn a_header_without_all_of_its_parts_is_none() {
        for header in [
            "",
            "Bearer x",
            "AWS4-HMAC-SHA256 Credential=A/1/r/s/aws4_request",
            "AWS4-HMAC-SHA256 Credential=A/1/r/s, SignedHeaders=host, Signature=x",
            "AWS4-HMAC-SHA256 Credential=/1/r/s/aws4_request, SignedHeaders=host, Signature=x",
            "AWS4-HMAC-SHA256 Credential=A/1/r/s/aws4_request/x, SignedHeaders=host, Signature=x",
        ] {
            assert_eq!(Signed::read(header), None, "{header}");
        }
    }
}
