//! Whatever bytes come, the edge's parsers have one verdict in bounded memory, and what they take for right
//! is what others take it for.

use super::super::body::{BodyReader, Framing, MAX_BODY};
use super::super::head::{Head, MAX_HEAD, Parsed};
use super::mutations::{corpus, inputs};
use axum::http::{HeaderName, HeaderValue, Method};
use proptest::prelude::*;
use proptest::sample::Index;

const WORDS: &[&str] = &[
    "\r\n",
    "\n",
    "\r\n\r\n",
    "\0",
    ": ",
    " HTTP/1.1\r\n",
    "HTTP/1.0",
    "Content-Length: 18446744073709551616\r\n",
    "Content-Length: 0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Host: a, b\r\n",
    "http://",
    "://",
    "?",
    "0\r\n\r\n",
    "8000000000000000",
    ";a=\"",
    "\u{feff}",
];

/// A head as it is written, from what was read of it.
fn written(head: &Head) -> Vec<u8> {
    let mut bytes =
        format!("{} {} HTTP/1.{}\r\n", head.method, head.target, head.minor).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes
}

fn check_head(bytes: &[u8]) {
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
            for (name, value) in &head.headers {
                assert!(HeaderName::from_bytes(name.as_bytes()).is_ok(), "{name:?}");
                assert!(HeaderValue::from_bytes(value).is_ok(), "{value:?}");
            }
            if let Ok(Framing::Length(length)) = head.framing() {
                assert!(length <= MAX_BODY);
            }
            let _ = (head.keeps_alive(), head.names_its_host());
            let again = written(&head);
            let expected = Parsed::Whole(Head { len: again.len(), ..head });
            assert_eq!(Head::parse(&again), expected);
        }
    }
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

/// The verdict on bytes that come in pieces, and what they leave.
fn read(wire: &[u8], cuts: &[Index]) -> (Parsed<Vec<u8>>, Vec<u8>) {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
    ends.push(wire.len());
    ends.sort_unstable();
    let (mut reader, mut buffer, mut from) = (BodyReader::new(Framing::Chunked), Vec::new(), 0);
    for end in ends {
        buffer.extend_from_slice(&wire[from..end]);
        from = end;
        let found = reader.take(&mut buffer);
        assert!(reader.content().len() <= MAX_BODY);
        if found != Parsed::Partial {
            buffer.extend_from_slice(&wire[from..]);
            return (found, buffer);
        }
    }
    (Parsed::Partial, buffer)
}

fn check_chunked(wire: &[u8], cuts: &[Index]) {
    let (found, left) = read(wire, &[]);
    let (cut, cut_left) = read(wire, cuts);
    assert_eq!(found, cut);
    match found {
        Parsed::Partial => {}
        Parsed::Bad(status) => assert!(matches!(status, 400 | 413 | 431), "{status}"),
        Parsed::Whole(content) => {
            assert_eq!(left, cut_left);
            assert_eq!(unchunked(wire), Some((content, left)));
        }
    }
}

proptest! {
    #[test]
    fn a_head_has_one_verdict_and_can_be_written_again(bytes in inputs(corpus("head"), WORDS)) {
        check_head(&bytes);
    }

    #[test]
    fn a_chunked_body_has_one_verdict_and_is_what_the_standard_says(
        wire in inputs(corpus("chunked"), WORDS),
        cuts in prop::collection::vec(any::<Index>(), 0..4),
    ) {
        check_chunked(&wire, &cuts);
    }
}

#[test]
fn each_of_the_corpus_is_read() {
    corpus("head").iter().for_each(|bytes| check_head(bytes));
    corpus("chunked").iter().for_each(|wire| check_chunked(wire, &[]));
}
