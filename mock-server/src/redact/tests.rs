//! Secrets in every form, found and taken out; and texts that hold none.

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
    check("a &amp; b &; &#; &#x110000; &nosuch; &amp", "a &amp; b &; &#; &#x110000; &nosuch; &amp");
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
    let scanner = SecretScanner::new([("ann@mail.example", 1), ("bob@mail.example", 2), (KEY, 3)]);
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
