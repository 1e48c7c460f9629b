//! What edge and wiremock say to each other, in bytes.

use super::head::Head;
use crate::rendezvous::{EXCHANGE_HEADER, PRIVATE_PREFIX};
use axum::http::StatusCode;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

/// Hop-by-hop headers, and those that the edge writes itself.
const OWN_HEADERS: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "content-length",
    "expect",
];

/// Whether a header goes no further than this hop.
pub(super) fn is_own(name: &str) -> bool {
    OWN_HEADERS.contains(&name) || name.starts_with(PRIVATE_PREFIX)
}

/// An answer of wiremock, before anything happens to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UpstreamAnswer {
    pub status: u16,
    pub reason: Cow<'static, str>,
    /// Whole header lines, names in lower case, without `Date`, hop-by-hop and private headers.
    pub lines: Vec<u8>,
    pub body: Vec<u8>,
    /// It answers a `HEAD`: nothing is known of the length that a body would have.
    pub to_head: bool,
}

impl UpstreamAnswer {
    /// Takes the first answer off these bytes: itself, and how many bytes it took. None while it is not
    /// whole.
    pub fn read(bytes: &[u8], to_head: bool) -> io::Result<Option<(Self, usize)>> {
        let wrong = |error: String| io::Error::new(io::ErrorKind::InvalidData, error);
        let mut slots = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut slots);
        let start = match response.parse(bytes) {
            Ok(httparse::Status::Complete(start)) => start,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let status = response.code.unwrap_or(500);
        let named = |name: &str| {
            let mut all = response.headers.iter();
            all.find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
        };
        let length = match named("content-length") {
            _ if to_head || status == 204 || status == 304 => 0,
            None => 0,
            Some(value) => {
                let text = std::str::from_utf8(value).unwrap_or_default();
                text.parse::<usize>().map_err(|error| wrong(error.to_string()))?
            }
        };
        let Some(body) = bytes.get(start..).and_then(|rest| rest.get(..length)) else {
            return Ok(None);
        };
        let mut lines = Vec::with_capacity(start);
        for header in response.headers.iter() {
            push_foreign(&mut lines, header.name, header.value);
        }
        let said = response.reason.unwrap_or_default();
        let usual = StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason());
        let reason = match usual {
            Some(usual) if usual == said => Cow::Borrowed(usual),
            _ => Cow::Owned(said.to_owned()),
        };
        Ok(Some((Self { status, reason, lines, body: body.to_vec(), to_head }, start + length)))
    }
}

/// Appends a header line of the routes with its name in lower case, unless the edge writes such a line itself.
pub(super) fn push_foreign(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    let at = out.len();
    push_header(out, name, value);
    out[at..at + name.len()].make_ascii_lowercase();
    let name = std::str::from_utf8(&out[at..at + name.len()]);
    // The routes' own date would be of the decision; there is one, of the writing.
    if name.is_ok_and(|name| name == "date" || is_own(name)) {
        out.truncate(at);
    }
}

/// Appends a request as the routes get it.
pub(super) fn write(out: &mut Vec<u8>, id: u64, head: &Head, body: &[u8]) {
    // The routes know paths only, and the whole server is none of them.
    let target = if head.target == "*" { "/*" } else { &head.target };
    for part in [&head.method, " ", target, " HTTP/1.1\r\nhost: mock\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    for (name, value) in head.headers.iter() {
        if name != "host" && !is_own(name) {
            push_header(out, name, value);
        }
    }
    let length = body.len();
    append(out, format_args!("{EXCHANGE_HEADER}: {id}\r\ncontent-length: {length}\r\n\r\n"));
    out.extend_from_slice(body);
}

/// Appends text without a place of its own in memory before.
pub(super) fn append(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    // Memory takes whatever is written.
    let _ = out.write_fmt(text);
}

/// Appends one header line.
pub(super) fn push_header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, to_head: bool) -> Option<(UpstreamAnswer, usize)> {
        UpstreamAnswer::read(text.as_bytes(), to_head).unwrap()
    }

    #[test]
    fn an_answer_is_there_with_its_last_byte_and_takes_no_byte_of_the_next_one() {
        let text = "HTTP/1.1 200 OK\r\nDate: x\r\nETag: y\r\nX-Windthrow-Z: 1\r\nContent-Length: 3\r\n\r\nabc";
        for end in 0..text.len() {
            assert_eq!(read(&text[..end], false), None, "{end}");
        }
        let (answer, took) = read(&format!("{text}HTTP"), false).unwrap();
        assert_eq!((took, answer.status, &*answer.reason), (text.len(), 200, "OK"));
        assert_eq!((&*answer.lines, &*answer.body), (&b"etag: y\r\n"[..], &b"abc"[..]));
    }

    #[test]
    fn answers_without_a_body_end_with_their_head_whatever_length_they_name() {
        let check = |status: &str, to_head| {
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: 30\r\n\r\n");
            let (answer, took) = read(&format!("{head}HTTP/1.1 200 OK"), to_head).unwrap();
            assert_eq!((took, answer.body.len(), answer.to_head), (head.len(), 0, to_head));
        };
        check("200 OK", true);
        check("204 No Content", false);
        check("304 Not Modified", false);
    }

    #[test]
    fn a_reason_of_its_own_is_kept_and_no_answer_is_an_error() {
        assert_eq!(read("HTTP/1.1 299 Hm\r\n\r\n", false).unwrap().0.reason, "Hm");
        for wrong in ["SSH-2.0\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"] {
            assert!(UpstreamAnswer::read(wrong.as_bytes(), false).is_err(), "{wrong}");
        }
    }
}
