//! Undoes escapes of URLs, JSON, HTML and quoted-printable mail, and remembers where each byte began.

use memchr::{memchr, memchr3};
use std::ops::Range;

/// What an escape stands for.
pub(super) enum Plain {
    Byte(u8),
    Character(char),
    /// A line that goes on.
    Nothing,
}

/// One way to escape.
pub(super) trait Way {
    /// Where the next escape may begin.
    fn next(bytes: &[u8]) -> Option<usize>;

    /// The escape at the beginning of `bytes`: its length, and what it stands for.
    fn escape(bytes: &[u8]) -> Option<(usize, Plain)>;
}

/// Percent-encoding (RFC 3986 section 2.1), JSON's escapes (RFC 8259 section 7) with the `\x40` of other
/// languages, and HTML's character references, the numeric ones and those of an address.
pub(super) struct Text;

impl Way for Text {
    fn next(bytes: &[u8]) -> Option<usize> {
        memchr3(b'%', b'\\', b'&', bytes)
    }

    fn escape(bytes: &[u8]) -> Option<(usize, Plain)> {
        of_text(bytes)
    }
}

/// Quoted-printable (RFC 2045 section 6.7). It is a way of its own because URLs also hold `=` before what
/// looks like hex: whoever undid both at once would spoil those.
pub(super) struct Mail;

impl Way for Mail {
    fn next(bytes: &[u8]) -> Option<usize> {
        memchr(b'=', bytes)
    }

    fn escape(bytes: &[u8]) -> Option<(usize, Plain)> {
        of_mail(bytes)
    }
}

/// The bytes with their escapes undone; none when there are none. `origin` gets where each byte began,
/// and at last the length of `bytes`.
pub(super) fn undone<W: Way>(bytes: &[u8], mut origin: Option<&mut Vec<usize>>) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    // Up to `done` all is undone; up to `at` there is nothing to undo.
    let (mut done, mut at) = (0, 0);
    while let Some(next) = W::next(&bytes[at..]) {
        at += next;
        let Some((length, plain)) = W::escape(&bytes[at..]) else {
            at += 1;
            continue;
        };
        if text.capacity() == 0 {
            text.reserve(bytes.len());
        }
        text.extend_from_slice(&bytes[done..at]);
        if let Some(origin) = &mut origin {
            origin.extend(done..at);
        }
        match plain {
            Plain::Byte(byte) => text.push(byte),
            Plain::Character(one) => {
                text.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes())
            }
            Plain::Nothing => {}
        }
        if let Some(origin) = &mut origin {
            origin.resize(text.len(), at);
        }
        at += length;
        done = at;
    }
    if done == 0 {
        return None;
    }
    text.extend_from_slice(&bytes[done..]);
    if let Some(origin) = origin {
        origin.extend(done..=bytes.len());
    }
    Some(text)
}

fn of_text(bytes: &[u8]) -> Option<(usize, Plain)> {
    match bytes {
        [b'%', ..] => Some((3, Plain::Byte(u8::try_from(hex(bytes, 1..3)?).ok()?))),
        [b'\\', b'u', ..] => Some((6, Plain::Character(char::from_u32(hex(bytes, 2..6)?)?))),
        [b'\\', b'x', ..] => Some((4, Plain::Byte(u8::try_from(hex(bytes, 2..4)?).ok()?))),
        [b'\\', byte @ (b'/' | b'\\' | b'"'), ..] => Some((2, Plain::Byte(*byte))),
        [b'&', ..] => reference(bytes),
        _ => None,
    }
}

/// Writers use capitals, and URLs hold many small letters. What becomes a control character holds nothing
/// that is looked for, and often is a number in a URL.
fn of_mail(bytes: &[u8]) -> Option<(usize, Plain)> {
    if let Some(length) = soft_break(bytes) {
        return Some((length, Plain::Nothing));
    }
    let byte = u8::try_from(hex(bytes, 1..3)?).ok()?;
    let is_capital = !bytes[1..3].iter().any(u8::is_ascii_lowercase);
    (is_capital && byte >= b' ').then_some((3, Plain::Byte(byte)))
}

/// The length of the line break, and of the `=` before it, that a mail has where a line is too long; its
/// line end may be JSON's escape of one.
fn soft_break(bytes: &[u8]) -> Option<usize> {
    let padding = bytes[1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mut at = 1 + padding;
    for (plain, escaped) in [(b'\r', br"\r"), (b'\n', br"\n")] {
        let rest = bytes.get(at..)?;
        if rest.first() == Some(&plain) {
            at += 1;
        } else if rest.starts_with(escaped) {
            at += escaped.len();
        } else if plain == b'\n' {
            return None;
        }
    }
    Some(at)
}

fn hex(bytes: &[u8], range: Range<usize>) -> Option<u32> {
    let digits = bytes.get(range)?;
    let plain = digits.iter().all(u8::is_ascii_hexdigit);
    plain.then(|| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()).flatten()
}

/// A character reference (HTML, 13.2.5.72), with its semicolon, as writers put it.
fn reference(bytes: &[u8]) -> Option<(usize, Plain)> {
    /// `&#x10FFFF;` and `&commat;` are the longest.
    const LONGEST: usize = 10;
    const NAMED: [(&str, char); 9] = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("commat", '@'),
        ("period", '.'),
        ("lowbar", '_'),
        ("colon", ':'),
    ];
    let end = bytes.iter().take(LONGEST).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(&bytes[1..end]).ok()?;
    let character = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
        None => NAMED.iter().find(|known| known.0 == name)?.1,
    };
    Some((end + 1, Plain::Character(character)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<W: Way>(text: &str, expected: Option<&str>) {
        let mut origin = Vec::new();
        let plain = undone::<W>(text.as_bytes(), Some(&mut origin));
        let plain = plain.map(|plain| String::from_utf8(plain).unwrap());
        assert_eq!(plain.as_deref(), expected, "{text}");
        let ends = plain.map_or(0, |plain| plain.len() + 1);
        assert_eq!((origin.len(), origin.is_sorted()), (ends, true), "{text}");
    }

    #[test]
    fn mail_is_read_as_mail_readers_do() {
        check::<Mail>("ann=40mail.example", Some("ann@mail.example"));
        check::<Mail>("ann=\nmail", Some("annmail"));
        check::<Mail>("ann=\r\nmail = \r\nx", Some("annmail x"));
        check::<Mail>(r"ann=\r\nmail=\nx=\r\", Some(r"annmailx=\r\"));
        check::<Mail>("=C3=A9=3D=3d", Some("é==3d"));
        for plain in
            ["", "=", "==", "a=b&c=", "?page=12", "?a=ab", "x=\r", "=4", "class=\"x\"", "= 40"]
        {
            check::<Mail>(plain, None);
        }
    }

    #[test]
    fn text_is_read_as_urls_json_and_html_are() {
        check::<Text>(r"%40 \u0040 \x40 &#64; &commat;", Some("@ @ @ @ @"));
        for plain in ["", "%", "100%", "%zz", r"\", r"\x4", r"\n", "&", "a & b;", "a=40"] {
            check::<Text>(plain, None);
        }
    }
}
