//! Finds secrets in bytes however they are written: plain, in another case, escaped, in hex or base64, or
//! byte by byte as programs print their buffers.
//!
//! Bytes are searched once as they stand, and again with their escapes undone (percent-encoding, JSON's,
//! HTML's, quoted-printable), a few times over, but only where they have any. Base64 is not undone: the characters that a
//! secret becomes in it, for each of the three positions that it can have in a group of three bytes,
//! are searched for like the secret itself. Upper and lower case of ASCII letters are the same.

mod escapes;
mod forms;
mod levels;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use forms::forms;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// What stands where a secret stood.
pub const REDACTED: &str = "[key]";

/// Shorter secrets, such as the `root` of a development vault, would be found in harmless words.
pub const SHORTEST: usize = 8;

/// What a credential of the mock is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is an API key, whose place is the bearer header.
    ApiKey,
    /// It opens the vault.
    Vault,
    /// It signs webhooks.
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
            Kind::Vault | Kind::Other => Self { api_key: false, ..self },
        }
    }

    fn add(&mut self, kind: Kind) {
        match kind {
            Kind::ApiKey => self.api_key = true,
            Kind::Vault | Kind::Other => self.other = true,
        }
    }
}

/// A set of secrets to look for, each with a label.
///
/// Keys begin alike, so that a few beginnings are searched for, and only what follows one of them is
/// looked up among the secrets: hundreds of keys cost a request no more than two.
pub struct SecretScanner<L> {
    heads: Option<AhoCorasick>,
    bodies: Vec<Bodies<L>>,
}

/// The forms of secrets that share their first bytes, in lower case.
struct Bodies<L> {
    /// Longest first.
    lengths: Vec<usize>,
    forms: HashMap<Vec<u8>, L>,
}

impl<L: Copy> Bodies<L> {
    fn add(&mut self, form: String, label: L) {
        if !self.lengths.contains(&form.len()) {
            self.lengths.push(form.len());
            self.lengths.sort_unstable_by(|a, b| b.cmp(a));
        }
        self.forms.entry(form.into_bytes()).or_insert(label);
    }

    /// The longest form that `bytes` begin with, and its length.
    fn longest(&self, bytes: &[u8]) -> Option<(L, usize)> {
        self.lengths.iter().find_map(|&length| {
            let form = bytes.get(..length)?.to_ascii_lowercase();
            self.forms.get(&form).map(|&label| (label, length))
        })
    }
}

impl<L: Copy> SecretScanner<L> {
    /// A scanner for these secrets; those of fewer than [`SHORTEST`] bytes are left out. Of two
    /// labels for the same secret the first one counts.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, L)>) -> Self {
        let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut heads = Vec::new();
        let mut bodies: Vec<Bodies<L>> = Vec::new();
        for (secret, label) in secrets {
            if secret.len() < SHORTEST {
                continue;
            }
            for form in forms(secret) {
                let head = form.as_bytes()[..SHORTEST].to_vec();
                let number = *numbers.entry(head).or_insert_with_key(|head| {
                    heads.push(head.clone());
                    bodies.push(Bodies { lengths: Vec::new(), forms: HashMap::new() });
                    bodies.len() - 1
                });
                bodies[number].add(form, label);
            }
        }
        // Heads are few and short, and everything that passes by is searched for them.
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&heads);
        // It fails only for more patterns than a 32-bit number counts.
        Self { heads: search.ok(), bodies }
    }

    /// Calls back with the label of every secret in these bytes, at whatever depth of escapes; more
    /// than once for a secret that is found at several depths.
    pub fn each_in(&self, bytes: &[u8], mut found: impl FnMut(L)) {
        levels::each(bytes, false, &mut |text, _| self.each(text, |label, _| found(label)));
    }

    /// The text with `mark` in place of every secret.
    pub fn replaced<'t>(&self, text: &'t str, mark: impl Fn(L) -> &'static str) -> Cow<'t, str> {
        let mut hits = self.ranges(text.as_bytes());
        if hits.is_empty() {
            return Cow::Borrowed(text);
        }
        hits.sort_by_key(|hit| hit.1.start);
        let mut out = Vec::with_capacity(text.len());
        let mut done = 0;
        for (label, hit) in hits {
            if hit.start >= done {
                out.extend_from_slice(&text.as_bytes()[done..hit.start]);
                out.extend_from_slice(mark(label).as_bytes());
            }
            done = done.max(hit.end);
        }
        out.extend_from_slice(&text.as_bytes()[done..]);
        Cow::Owned(String::from_utf8_lossy(&out).into_owned())
    }

    /// The first place from `at` on where these bytes can be cut without cutting a secret in two.
    pub fn cut(&self, bytes: &[u8], at: usize) -> usize {
        let hits = self.ranges(bytes);
        let mut at = at.min(bytes.len());
        while let Some((_, hit)) = hits.iter().find(|(_, hit)| hit.start < at && at < hit.end) {
            at = hit.end;
        }
        at
    }

    /// The bytes that secrets take up, at whatever depth they are found.
    fn ranges(&self, bytes: &[u8]) -> Vec<(L, Range<usize>)> {
        let mut hits = Vec::new();
        levels::each(bytes, true, &mut |text, origin| {
            let began = |at: usize| origin.map_or(at, |origin| origin[at]);
            self.each(text, |label, range| {
                hits.push((label, began(range.start)..began(range.end)))
            });
        });
        hits
    }

    /// Calls back for every secret that stands in these very bytes.
    fn each(&self, bytes: &[u8], mut hit: impl FnMut(L, Range<usize>)) {
        let Some(heads) = &self.heads else { return };
        for head in heads.find_overlapping_iter(bytes) {
            let bodies = &self.bodies[head.pattern().as_usize()];
            if let Some((label, length)) = bodies.longest(&bytes[head.start()..]) {
                hit(label, head.start()..head.start() + length);
            }
        }
    }
}

impl SecretScanner<Kind> {
    /// Which kinds of secret these bytes hold.
    pub(crate) fn find(&self, bytes: &[u8]) -> Found {
        let mut found = Found::default();
        self.each_in(bytes, |kind| found.add(kind));
        found
    }

    /// The text with `[key]` in place of every secret.
    pub(crate) fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.replaced(text, |_| REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    const KEY: &str = "lt_live_0123456789abcdef";
    const SIGNS: &str = "whsec_MfKQ9r8G+YqrTwj/PD8I";

    fn scanner() -> SecretScanner<Kind> {
        SecretScanner::new([(KEY, Kind::ApiKey), (SIGNS, Kind::Other)])
    }

    #[track_caller]
    fn check(text: &str, redacted: &str) {
        let found = scanner().find(text.as_bytes());
        assert_eq!(scanner().redacted(text), redacted);
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
    fn case_hex_and_html_hide_no_secret() {
        check(&format!("k={}.", KEY.to_uppercase()), "k=[key].");
        check(&format!("k={}.", hex::encode(KEY)), "k=[key].");
        check(&format!("k={}.", hex::encode_upper(KEY)), "k=[key].");
        check("<p>lt&#95;live&#x5F;0123456789abcdef</p>", "<p>[key]</p>");
        check("lt&amp;lowbar;live_0123456789abcdef", "[key]");
        check(
            "a &amp; b &; &#; &#x110000; &nosuch; &amp",
            "a &amp; b &; &#; &#x110000; &nosuch; &amp",
        );
    }

    #[test]
    fn neither_depth_nor_mail_hides_a_secret() {
        let mut deep = KEY.replace('_', "%5F");
        for _ in 0..5 {
            check(&format!("?next={deep}&x"), "?next=[key]&x");
            deep = deep.replace('%', "%25");
        }
        let mut quoted = KEY.replace('_', r"\u005f");
        for _ in 0..5 {
            check(&format!("{{{quoted}}}"), "{[key]}");
            quoted = quoted.replace('\\', r"\\");
        }
        check(&format!("to {}.", KEY.replace('_', "=5F")), "to [key].");
        for end in ["=\n", "=\r\n", "= \r\n", r"=\r\n"] {
            check(&format!("to {}{end}{}.", &KEY[..9], &KEY[9..]), "to [key].");
        }
        // A link in a mail, and one whose name ends like an escape of mail.
        check(&format!("?m=3D{}", KEY.replace('_', "%5F")), "?m=3D[key]");
        check("?m=lt%5Flive%5F0123456789abcdef&p=20", "?m=[key]&p=20");
        let face = SecretScanner::new([("face_0123", Kind::Other)]);
        assert_eq!(face.redacted("?m=face%5F0123"), "?m=[key]");
    }

    #[test]
    fn buffers_hide_no_secret() {
        let joined = |between: &str, written: fn(u8) -> String| {
            KEY.bytes().map(written).collect::<Vec<_>>().join(between)
        };
        let hex = |between| joined(between, |byte| format!("{byte:02x}"));
        let decimal = |between| joined(between, |byte| byte.to_string());
        check(&format!("{{ auth: <Buffer {}> }}", hex(" ")), "{ auth: <Buffer [key]> }");
        check(&format!("<Buffer 20 {} 0a>", hex(" ")), "<Buffer 20 [key] 0a>");
        check(&format!("auth={}.", hex(":")), "auth=[key].");
        check(&format!("auth={}.", hex("-").to_uppercase()), "auth=[key].");
        check(&format!("{{{}}}", joined(", ", |byte| format!("0x{byte:02X}"))), "{[key]}");
        let json = format!(r#"{{"type":"Buffer","data":[{}]}}"#, decimal(","));
        check(&json, r#"{"type":"Buffer","data":[[key]]}"#);
        check(&format!("bytearray([58, {}, 10])", decimal(", ")), "bytearray([58, [key], 10])");
        check(&format!("[{}]", decimal(" ")), "[[key]]");
        let part = "<Buffer 6c 74 5f 6c 69 76 65 5f 39> [108,116,95,108]";
        check(part, part);
    }

    #[test]
    fn a_cut_goes_through_no_secret() {
        let check = |text: &str, at: usize, expected: usize| {
            assert_eq!(scanner().cut(text.as_bytes(), at), expected, "{text} at {at}");
        };
        check("nothing", 3, 3);
        check("nothing", 30, 7);
        let text = format!("ab{KEY}{SIGNS}cd");
        let (first, both) = (2 + KEY.len(), text.len() - 2);
        check(&text, 2, 2);
        check(&text, 3, first);
        check(&text, first - 1, first);
        check(&text, first, first);
        check(&text, first + 1, both);
        check(&text, text.len() - 1, text.len() - 1);
        let escaped = format!("ab{}cd", KEY.replace('_', "%255f"));
        check(&escaped, 7, escaped.len() - 2);
    }

    #[test]
    fn every_secret_is_found_by_its_own_label() {
        let scanner =
            SecretScanner::new([("ann@mail.example", 1), ("bob@mail.example", 2), (KEY, 3)]);
        let mut found = Vec::new();
        scanner.each_in(b"to=BOB%40mail.example; from ann@mail.example", |label| found.push(label));
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, [1, 2]);
    }

    #[test]
    fn base64_hides_no_secret_wherever_it_stands() {
        for before in ["", "a", "ab", "user:"] {
            for after in ["", ":", "::", "\u{e9}"] {
                let text = format!("{before}{KEY}{after}");
                for encoded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    let found = scanner().find(format!("Basic {encoded}").as_bytes());
                    assert_eq!(found, Found { api_key: true, other: false }, "{text}");
                    assert!(scanner().redacted(&encoded).contains(REDACTED));
                }
            }
        }
    }

    #[test]
    fn kinds_are_distinguished_and_short_secrets_are_not_looked_for() {
        assert_eq!(scanner().find(SIGNS.as_bytes()), Found { api_key: false, other: true });
        let root = SecretScanner::new([("root", Kind::Other), ("", Kind::Other)]);
        assert_eq!(root.redacted("the root and a branch"), "the root and a branch");
    }

    proptest! {
        /// No text makes it fail, and what surrounds a secret stays as it was, but for what begins an escape.
        #[test]
        fn surroundings_stay(before in "[^a-zA-Z0-9%=\\\\]{0,20}", after in "[^a-zA-Z0-9%=\\\\]{0,20}", junk in any::<String>()) {
            let expected = format!("{before}[key]{after}");
            let found = scanner().redacted(&format!("{before}{KEY}{after}")).into_owned();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(scanner().redacted(&junk), junk.as_str());
        }

        /// Whichever characters are escaped, in whichever way, it is found.
        #[test]
        fn any_mixture_of_escapes_is_undone(ways in proptest::collection::vec(0..3_u8, KEY.len())) {
            let text: String = KEY.chars().zip(ways).map(|(c, way)| match way {
                0 => c.to_string(),
                1 => format!("%{:02x}", u32::from(c)),
                _ => format!("\\u{:04X}", u32::from(c)),
            }).collect();
            prop_assert_eq!(scanner().redacted(&format!("<{text}>")).into_owned(), "<[key]>");
        }
    }
}
