//! What holds of the edge's parsers whatever bytes come: one verdict, however they are cut, in bounded
//! memory; and what is taken for right is what others take it for. Called by the crate's tests and by the
//! targets of `cargo fuzz`.

use super::body::{BodyReader, Framing, MAX_BODY};
use super::head::{Head, MAX_HEAD, Parsed};
use axum::http::{HeaderName, HeaderValue, Method};

/// Reads the head of a request.
///
/// # Panics
///
/// When something of the above does not hold.
pub fn head(bytes: &[u8]) {
    let last = Head::parse(bytes);
    // Once the verdict on some first bytes is there, more bytes do not change it.
    for cut in 1..=6 {
        let early = Head::parse(&bytes[..bytes.len() * cut / 7]);
        assert!(early == Parsed::Partial || early == last, "{early:?}, then {last:?}");
    }
    match last {
        Parsed::Partial => assert!(bytes.len() < MAX_HEAD),
        Parsed::Bad(status) => assert!(matches!(status, 400 | 431 | 505), "{status}"),
        Parsed::Whole(head) => {
            assert!(head.len <= bytes.len().min(MAX_HEAD));
            // The types of the crate `http`, which most clients and servers share, have rules of their own.
            assert!(Method::from_bytes(head.method.as_bytes()).is_ok(), "{head:?}");
            for (name, value) in head.headers.iter() {
                assert!(HeaderName::from_bytes(name.as_bytes()).is_ok(), "{name:?}");
                assert!(HeaderValue::from_bytes(value).is_ok(), "{value:?}");
            }
            match head.framing() {
                Ok(Framing::Length(length)) => assert!(length <= MAX_BODY),
                Ok(Framing::Chunked) => assert!(head.header("content-length").is_none()),
                Err(status) => assert!(matches!(status, 400 | 413 | 501), "{status}"),
            }
            let _ = (head.keeps_alive(), head.names_its_host());
            let again = written(&head);
            let expected = Parsed::Whole(Head { len: again.len(), ..head });
            assert_eq!(Head::parse(&again), expected);
        }
    }
}

/// A head as it is written, from what was read of it.
fn written(head: &Head) -> Vec<u8> {
    let mut bytes =
        format!("{} {} HTTP/1.{}\r\n", head.method, head.target, head.minor).into_bytes();
    for (name, value) in head.headers.iter() {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes
}

/// Reads a chunked body: as a whole, by bytes if there are few, and in a few pieces.
///
/// # Panics
///
/// When something of the above does not hold.
pub fn chunked(wire: &[u8]) {
    let (found, left) = read(wire, wire.len());
    for pieces in [3, 64] {
        let (cut, cut_left) = read(wire, wire.len() / pieces + 1);
        assert_eq!(found, cut, "in {pieces} pieces");
        if matches!(found, Parsed::Whole(_)) {
            assert_eq!(left, cut_left, "in {pieces} pieces");
        }
    }
    match found {
        Parsed::Partial => {}
        Parsed::Bad(status) => assert!(matches!(status, 400 | 413 | 431), "{status}"),
        Parsed::Whole(content) => assert_eq!(unchunked(wire), Some((content, left))),
    }
}

/// The verdict on bytes that come in pieces of this length, and what they leave.
fn read(wire: &[u8], length: usize) -> (Parsed<Vec<u8>>, Vec<u8>) {
    let (mut reader, mut buffer) = (BodyReader::new(Framing::Chunked), Vec::new());
    let mut pieces = wire.chunks(length.max(1));
    while let Some(piece) = pieces.next() {
        buffer.extend_from_slice(piece);
        let found = reader.take(&mut buffer);
        assert!(reader.content().len() <= MAX_BODY);
        if found != Parsed::Partial {
            buffer.extend(pieces.flatten());
            return (found, buffer);
        }
    }
    (Parsed::Partial, buffer)
}

/// What a chunked body holds and what follows it, read in one piece and without limits, by RFC 9112
/// section 7.1.
fn unchunked(mut rest: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut content = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..digits]).ok()?, 16).ok()?;
        rest = &rest[line + 2..];
        if size == 0 {
            break;
        }
        content.extend(rest.get(..size)?);
        rest = rest[size..].strip_prefix(b"\r\n")?;
    }
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        rest = &rest[end + 1..];
        if line.is_empty() {
            return Some((content, rest.to_vec()));
        }
    }
}
