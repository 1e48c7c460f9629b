//! Finds secrets in bytes however they are written: plain, percent-encoded, JSON-escaped or in base64.
//!
//! A request is searched once as it stands, and again with its escapes undone, but only where it
//! has any. Base64 is not undone: the characters that a secret becomes in it, for each of the three
//! positions that it can have in a group of three bytes, are searched for like the secret itself.

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// What stands where a secret stood.
pub(crate) const REDACTED: &str = "[key]";

/// Shorter secrets, such as the `root` of a development vault, would be found in harmless words.
const SHORTEST: usize = 8;

/// Escapes within escapes are undone so often.
const DEPTH: usize = 2;

/// What a secret is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is an API key, whose place is the bearer header.
    ApiKey,
    /// It signs webhooks or opens the vault.
    Other,
}

/// Which kinds of secret were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub api_key: bool,
    pub other: bool,
}

impl Found {
    /// Whether it is of this kind, and no more than that.
    pub fn only(self, kind: Kind) -> Self {
        match kind {
            Kind::ApiKey => Self { other: false, ..self },
            Kind::Other => Self { api_key: false, ..self },
        }
    }

    fn add(&mut self, kind: Kind) {
        match kind {
            Kind::ApiKey => self.api_key = true,
            Kind::Other => self.other = true,
        }
    }
}

/// A set of secrets to look for.
///
/// Keys begin alike, so that a few beginnings are searched for, and only what follows one of them is
/// looked up among the secrets: hundreds of keys cost a request no more than two.
pub(crate) struct Needles {
    heads: Option<AhoCorasick>,
    bodies: Vec<Bodies>,
}

/// The forms of secrets that share their first bytes.
#[derive(Default)]
struct Bodies {
    /// Longest first.
    lengths: Vec<usize>,
    forms: HashMap<Vec<u8>, Kind>,
}

impl Bodies {
    fn add(&mut self, form: String, kind: Kind) {
        if !self.lengths.contains(&form.len()) {
            self.lengths.push(form.len());
            self.lengths.sort_unstable_by(|a, b| b.cmp(a));
        }
        self.forms.insert(form.into_bytes(), kind);
    }

    /// The longest form that `bytes` begin with, and its length.
    fn longest(&self, bytes: &[u8]) -> Option<(Kind, usize)> {
        self.lengths
            .iter()
            .find_map(|&length| self.forms.get(bytes.get(..length)?).map(|&kind| (kind, length)))
    }
}

impl Needles {
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, Kind)>) -> Self {
        let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut heads = Vec::new();
        let mut bodies: Vec<Bodies> = Vec::new();
        for (secret, kind) in secrets {
            if secret.len() < SHORTEST {
                continue;
            }
            for form in forms(secret) {
                let head = form.as_bytes()[..SHORTEST].to_vec();
                let number = *numbers.entry(head).or_insert_with_key(|head| {
                    heads.push(head.clone());
                    bodies.push(Bodies::default());
                    bodies.len() - 1
                });
                bodies[number].add(form, kind);
            }
        }
        // It fails only for more patterns than a 32-bit number counts.
        Self { heads: AhoCorasick::new(&heads).ok(), bodies }
    }

    /// Which kinds of secret these bytes hold.
    pub fn find(&self, bytes: &[u8]) -> Found {
        let mut found = Found::default();
        self.each(bytes, |kind, _| found.add(kind));
        let mut level = unescaped(bytes, None);
        for _ in 1..=DEPTH {
            let Some(text) = level else { break };
            self.each(&text, |kind, _| found.add(kind));
            level = unescaped(&text, None);
        }
        found
    }

    /// The text with `[key]` in place of every secret.
    pub fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut hits = self.ranges(text.as_bytes());
        if hits.is_empty() {
            return Cow::Borrowed(text);
        }
        hits.sort_by_key(|hit| hit.start);
        let mut out = Vec::with_capacity(text.len());
        let mut done = 0;
        for hit in hits {
            if hit.start >= done {
                out.extend_from_slice(&text.as_bytes()[done..hit.start]);
                out.extend_from_slice(REDACTED.as_bytes());
            }
            done = done.max(hit.end);
        }
        out.extend_from_slice(&text.as_bytes()[done..]);
        Cow::Owned(String::from_utf8_lossy(&out).into_owned())
    }

    /// The bytes that secrets take up, at whatever depth they are found.
    fn ranges(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut hits = Vec::new();
        self.each(bytes, |_, range| hits.push(range));
        let mut origin = Vec::new();
        let mut level = unescaped(bytes, Some(&mut origin));
        for _ in 1..=DEPTH {
            let Some(text) = level else { break };
            self.each(&text, |_, range| hits.push(origin[range.start]..origin[range.end]));
            let mut within = Vec::new();
            level = unescaped(&text, Some(&mut within));
            origin = within.into_iter().map(|at| origin[at]).collect();
        }
        hits
    }

    /// Calls back for every secret that stands in these very bytes.
    fn each(&self, bytes: &[u8], mut hit: impl FnMut(Kind, Range<usize>)) {
        let Some(heads) = &self.heads else { return };
        for head in heads.find_overlapping_iter(bytes) {
            let bodies = &self.bodies[head.pattern().as_usize()];
            if let Some((kind, length)) = bodies.longest(&bytes[head.start()..]) {
                hit(kind, head.start()..head.start() + length);
            }
        }
    }
}

/// The secret itself, and the characters that it surely becomes within base64 of either alphabet.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        // Characters that also hold bits of what stands before or after are left out.
        let sure = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let form = engine.encode(&bytes)[sure.clone()].to_owned();
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

/// Undoes percent-encoding (RFC 3986 section 2.1) and JSON's escapes (RFC 8259 section 7); none
/// when there are none. `origin` gets where each byte began, and at last the length of `bytes`.
fn unescaped(bytes: &[u8], mut origin: Option<&mut Vec<usize>>) -> Option<Vec<u8>> {
    let first = bytes.iter().position(|byte| matches!(byte, b'%' | b'\\'))?;
    let mut text = Vec::with_capacity(bytes.len());
    text.extend_from_slice(&bytes[..first]);
    if let Some(origin) = &mut origin {
        origin.extend(0..first);
    }
    let (mut at, mut any) = (first, false);
    while at < bytes.len() {
        let length = match escape(&bytes[at..]) {
            Some((length, plain)) => {
                any = true;
                match plain {
                    Plain::Byte(byte) => text.push(byte),
                    Plain::Character(one) => {
                        text.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                }
                length
            }
            None => {
                text.push(bytes[at]);
                1
            }
        };
        if let Some(origin) = &mut origin {
            origin.resize(text.len(), at);
        }
        at += length;
    }
    if let Some(origin) = origin {
        origin.push(bytes.len());
    }
    any.then_some(text)
}

/// What an escape stands for.
enum Plain {
    Byte(u8),
    Character(char),
}

/// The escape at the beginning of `bytes`: its length, and what it stands for.
fn escape(bytes: &[u8]) -> Option<(usize, Plain)> {
    let hex = |range: Range<usize>| {
        let digits = bytes.get(range)?;
        let plain = digits.iter().all(u8::is_ascii_hexdigit);
        plain.then(|| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()).flatten()
    };
    match bytes {
        [b'%', ..] => Some((3, Plain::Byte(u8::try_from(hex(1..3)?).ok()?))),
        [b'\\', b'u', ..] => Some((6, Plain::Character(char::from_u32(hex(2..6)?)?))),
        [b'\\', byte @ (b'/' | b'\\' | b'"'), ..] => Some((2, Plain::Byte(*byte))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    const KEY: &str = "lt_live_0123456789abcdef";
    const SIGNS: &str = "whsec_MfKQ9r8G+YqrTwj/PD8I";

    fn needles() -> Needles {
        Needles::new([(KEY, Kind::ApiKey), (SIGNS, Kind::Other)])
    }

    #[track_caller]
    fn check(text: &str, redacted: &str) {
        let found = needles().find(text.as_bytes());
        assert_eq!(needles().redacted(text), redacted);
        assert_eq!(found != Found::default(), text != redacted, "{text}");
    }

    #[test]
    fn every_form_is_found_and_taken_out_whole() {
        check("", "");
        check("nothing % of \\ the kind %zz \\u12", "nothing % of \\ the kind %zz \\u12");
        check(KEY, "[key]");
        check(&format!("a={KEY}&b={SIGNS}&c"), "a=[key]&b=[key]&c");
        check(&format!("é{KEY}{KEY}é"), "é[key][key]é");
        let percent = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
        check(&format!("k={}&x=%20", percent(KEY)), "k=[key]&x=%20");
        check(&format!("k={}&x", percent(&percent(KEY))), "k=[key]&x");
        check("k=lt%5flive%5F0123456789abcdef.", "k=[key].");
        check(&format!("k={}", SIGNS.replace('+', "%2B").replace('/', "%2f")), "k=[key]");
        check(r#"{"k":"lt\u005flive_0123456789abcdef"}"#, r#"{"k":"[key]"}"#);
        check(&format!("{{\"k\":\"{}\"}}", SIGNS.replace('/', "\\/")), r#"{"k":"[key]"}"#);
        check(
            r#"{"in":"{\"k\":\"lt\\u005flive_0123456789abcdef\"}"}"#,
            r#"{"in":"{\"k\":\"[key]\"}"}"#,
        );
    }

    #[test]
    fn base64_hides_no_secret_wherever_it_stands() {
        for before in ["", "a", "ab", "user:"] {
            for after in ["", ":", "::", "\u{e9}"] {
                let text = format!("{before}{KEY}{after}");
                for encoded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    let found = needles().find(format!("Basic {encoded}").as_bytes());
                    assert_eq!(found, Found { api_key: true, other: false }, "{text}");
                    assert!(needles().redacted(&encoded).contains(REDACTED));
                }
            }
        }
    }

    #[test]
    fn kinds_are_told_apart_and_short_secrets_are_not_looked_for() {
        assert_eq!(needles().find(SIGNS.as_bytes()), Found { api_key: false, other: true });
        let root = Needles::new([("root", Kind::Other), ("", Kind::Other)]);
        assert_eq!(root.redacted("the root and a branch"), "the root and a branch");
    }

    proptest! {
        /// No text makes it fail, and what surrounds a secret stays as it was.
        #[test]
        fn surroundings_stay(before in "[^a-zA-Z0-9%\\\\]{0,20}", after in "[^a-zA-Z0-9%\\\\]{0,20}", junk in any::<String>()) {
            let expected = format!("{before}[key]{after}");
            let found = needles().redacted(&format!("{before}{KEY}{after}")).into_owned();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(needles().redacted(&junk), junk.as_str());
        }

        /// Whichever characters are escaped, in whichever way, it is found.
        #[test]
        fn any_mixture_of_escapes_is_undone(ways in proptest::collection::vec(0..3_u8, KEY.len())) {
            let text: String = KEY.chars().zip(ways).map(|(c, way)| match way {
                0 => c.to_string(),
                1 => format!("%{:02x}", u32::from(c)),
                _ => format!("\\u{:04X}", u32::from(c)),
            }).collect();
            prop_assert_eq!(needles().redacted(&format!("<{text}>")).into_owned(), "<[key]>");
        }
    }
}
