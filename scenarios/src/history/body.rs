//! Bodies of the front door's answers: each different one is recorded once, and named by its hash.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;

/// The first 128 bits of a body's SHA-256; 32 hex digits in JSON.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BodyHash(u128);

impl BodyHash {
    /// The hash of a whole body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        Self::finish(Sha256::new_with_prefix(body))
    }

    /// The hash of what was digested.
    #[must_use]
    pub fn finish(digest: Sha256) -> Self {
        let mut first = [0; 16];
        first.copy_from_slice(&digest.finalize()[..16]);
        Self(u128::from_be_bytes(first))
    }
}

impl fmt::Display for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for BodyHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BodyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;

        impl Visitor<'_> for Digits {
            type Value = BodyHash;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("32 hex digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<BodyHash, E> {
                let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32);
                let unlike = || E::invalid_value(de::Unexpected::Str(text), &self);
                number.map(BodyHash).ok_or_else(unlike)
            }
        }

        deserializer.deserialize_str(Digits)
    }
}

/// A body that visitors were shown, recorded when it was seen first. What was planted is taken out
/// of the text like out of all else, so that the text may have another hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The hash of the whole body; operations name it.
    pub hash: BodyHash,
    /// Its length, bytes.
    pub bytes: u64,
    /// Whether only its beginning is recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// The links that the page shows by the declared attribute, each once and in the page's order, in
    /// the first 256 KiB of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Those that it shows again after others, or more often than others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeated: Vec<String>,
    /// The body as text; bytes that are no UTF-8 stand as unknown characters.
    pub text: String,
}

/// How many bodies were recorded, at the end of a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyCount {
    /// Different bodies that are in the history.
    pub recorded: u64,
    /// Of which only the beginning is.
    pub cut: u64,
    /// Answers whose body is not in the history, because there were too many different ones.
    pub left_out: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_stands_as_hex_digits_and_nothing_else_is_one() {
        let hash = BodyHash::of(b"abc");
        let json = serde_json::to_string(&hash).unwrap();
        // FIPS 180-4, the first of its examples.
        assert_eq!(json, "\"ba7816bf8f01cfea414140de5dae2223\"");
        assert_eq!(serde_json::from_str::<BodyHash>(&json).unwrap(), hash);
        for text in ["\"ba78\"", "\"\"", "7", "\"za7816bf8f01cfea414140de5dae2223\""] {
            assert!(serde_json::from_str::<BodyHash>(text).is_err(), "{text}");
        }
    }
}
