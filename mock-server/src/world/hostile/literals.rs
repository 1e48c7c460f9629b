//! Strings that a fault puts into answers in place of what a user wrote: some attack the page, some the
//! program that reads them.
//!
//! They stand here as the inside of JSON string literals, since some of them (a surrogate without its
//! partner) are lawful JSON and no lawful Unicode.

/// Stand for strings that are long.
const LONG: &str = "long";
const STACKED: &str = "stacked";

/// What may stand in names, biographies and titles.
#[rustfmt::skip]
pub(crate) const TEXTS: &[&str] = &[
    // Elements and handlers that run script.
    r"<script>alert(1)</script>",
    r"<img src=x onerror=alert(2)>",
    r"<svg onload=alert(3)>",
    r#"\"><script>alert(4)</script>"#,
    r"' autofocus onfocus=alert(5) x='",
    r"</title></textarea></style></script><script>alert(6)</script>",
    r#"<a href=\"javascript:alert(7)\">my page</a>"#,
    r"<iframe srcdoc='<b onclick=alert(8)>'></iframe>",
    r"<scr<script>ipt>alert(9)</scr</script>ipt>",
    r"<!--><i onmouseover=alert(10)>-->",
    r"<template><style></template><b title='</style><i onclick=alert(11)>'>",
    // Entities and escapes that someone may decode once too often.
    r"&lt;script&gt;alert(12)&lt;/script&gt;",
    r"&amp;lt;script&amp;gt;alert(13)&amp;lt;/script&amp;gt;",
    r"\u003cscript\u003ealert(14)\u003c\/script\u003e",
    r"%3Cscript%3Ealert(15)%3C/script%3E",
    r"\uff1cscript\uff1ealert(16)\uff1c/script\uff1e",
    // Other languages that a string may end up in.
    r"{{7*7}} ${7*7} <%= 7*7 %> #{7*7}",
    r"${jndi:ldap://127.0.0.1/a}",
    r"'; DROP TABLE links; --",
    r#"\" OR \"1\"=\"1"#,
    r"$(id) `id` | id ; id",
    r"../../../../etc/passwd",
    r"=HYPERLINK(\u0022http://127.0.0.1/\u0022)",
    r"%s%n%x {0} {name}",
    r"__proto__",
    r"me\r\nSet-Cookie: owner=1",
    r"\u2028alert(17)\u2029",
    // Characters that deceive, vanish or break.
    r"\u202egnp.eliforp\u202c",
    r"\u2067\u2066turned\u2069 inside",
    r"pay\u200bments \u2060\ufeff",
    r"\u0000 and on",
    r"\u0007\u0008\u001b[2J\u007f",
    r"\u0430\u0440\u0440l\u0435",
    r"\ud83d\udc69\u200d\ud83d\udc69\u200d\ud83d\udc67\u200d\ud83d\udc66",
    r"\ud800",
    r"\udc00\ud800 swapped",
    r"\ufffe\uffff",
    r"\u0130\u0131 \u1e9e\u00df \ufb01",
    r"",
    r"   ",
    r"null",
    LONG,
    STACKED,
];

/// What may stand in addresses.
#[rustfmt::skip]
pub(crate) const ADDRESSES: &[&str] = &[
    r"javascript:alert(1)",
    r"JaVaScRiPt:alert(2)",
    r"java\tscript:alert(3)",
    r"java\nscript:alert(4)",
    r"\u0001javascript:alert(5)",
    r" javascript:alert(6)",
    r"javascript&colon;alert(7)",
    r"javascript://example.com/%0aalert(8)",
    r"data:text/html,<script>alert(9)</script>",
    r"data:text/html;base64,PHNjcmlwdD5hbGVydCgxMCk8L3NjcmlwdD4=",
    r"vbscript:msgbox(11)",
    r"file:///etc/passwd",
    r"//evil.example/",
    r"\\\\evil.example\\share",
    r"https:evil.example",
    r"https://example.com@evil.example/",
    r"https://evil.example\\@example.com/",
    r"https://example.com%2f@evil.example/",
    r"http://127.0.0.1:22/",
    r"http://2130706433/",
    r"http://[::ffff:127.0.0.1]/",
    r"http://169.254.169.254/latest/meta-data/",
    r#"https://example.com/\" onmouseover=\"alert(12)"#,
    r"https://example.com/'><script>alert(13)</script>",
    r"https://example.com/\r\nLocation: https://evil.example/",
    r"https://ex\u0430mple.com/",
    r"https://example.com/\u202etxt.exe",
    r"https://example.com/\ud800",
    r"https://example.com:99999/",
    r"http://",
    r"",
    LONG,
];

/// The string with this place in a list, as it stands between the quotes of JSON; none where there is none.
pub(crate) fn literal(list: &[&str], place: usize) -> Option<String> {
    Some(match *list.get(place)? {
        LONG => "https://example.com/".to_owned() + &"long".repeat(4_000),
        STACKED => "Z".to_owned() + &"\u{0335}\u{0322}\u{0353}".repeat(300),
        literal => literal.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_is_lawful_json_and_only_lone_surrogates_are_no_unicode() {
        for list in [TEXTS, ADDRESSES] {
            for place in 0..list.len() {
                let text = format!("\"{}\"", literal(list, place).unwrap());
                serde_json::from_str::<&serde_json::value::RawValue>(&text).expect(&text);
                let lone = text.contains("\\ud800");
                assert_eq!(serde_json::from_str::<String>(&text).is_err(), lone, "{text}");
            }
            assert_eq!(literal(list, list.len()), None);
        }
        assert!(literal(ADDRESSES, ADDRESSES.len() - 1).unwrap().len() > 10_000);
    }
}
