//! Undoes escapes of URLs, JSON and HTML, and remembers where each byte began.

use std::ops::Range;

/// Undoes percent-encoding (RFC 3986 section 2.1), JSON's escapes (RFC 8259 section 7) and HTML's
/// character references, the numeric ones and those of an address; none when there are none. `origin` gets where each byte began, and at last the length of `bytes`.
pub(super) fn unescaped(bytes: &[u8], mut origin: Option<&mut Vec<usize>>) -> Option<Vec<u8>> {
    let first = bytes.iter().position(|byte| matches!(byte, b'%' | b'\\' | b'&'))?;
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
        [b'&', ..] => reference(bytes),
        _ => None,
    }
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
