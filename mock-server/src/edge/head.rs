//! Reads request heads and bodies from raw bytes, and says what is wrong with them.

use std::ops::Range;

/// The largest request head, bytes.
pub(super) const MAX_HEAD: usize = 32 * 1024;

/// The largest request body, bytes.
pub(super) const MAX_BODY: usize = 1024 * 1024;

/// Chunk sizes, extensions and trailers may add this much to a chunked body.
const MAX_FRAMING: usize = 256 * 1024;

/// A request's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub method: String,
    /// Path and query; an absolute form has lost its scheme and authority.
    pub target: String,
    /// 0 or 1.
    pub minor: u8,
    /// Names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Bytes of the head.
    pub len: usize,
}

/// What can be said of the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed<T> {
    /// More bytes are needed.
    Partial,
    /// Everything is there.
    Whole(T),
    /// It will never be right; the status says why.
    Bad(u16),
}

/// How the body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
}

impl Head {
    pub fn parse(bytes: &[u8]) -> Parsed<Self> {
        let mut slots = [httparse::EMPTY_HEADER; 100];
        let mut request = httparse::Request::new(&mut slots);
        let len = match request.parse(bytes) {
            Ok(httparse::Status::Complete(len)) if len <= MAX_HEAD => len,
            Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD => return Parsed::Partial,
            Ok(_) | Err(httparse::Error::TooManyHeaders) => return Parsed::Bad(431),
            Err(_) => return Parsed::Bad(400),
        };
        let target = origin_form(request.path.unwrap_or_default());
        if !target.starts_with('/') || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Parsed::Bad(400);
        }
        let headers = request
            .headers
            .iter()
            .map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()))
            .collect();
        Parsed::Whole(Self {
            method: request.method.unwrap_or_default().to_owned(),
            target,
            minor: request.version.unwrap_or(1),
            headers,
            len,
        })
    }

    /// The first value of a header as text.
    pub fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(String::from_utf8_lossy(value).trim().to_owned())
    }

    /// Whether a list-valued header names this token.
    pub fn names(&self, header: &str, token: &str) -> bool {
        self.headers
            .iter()
            .filter(|(name, _)| name == header)
            .flat_map(|(_, value)| value.split(|byte| *byte == b','))
            .any(|one| one.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Whether the connection stays open after the answer.
    pub fn keeps_alive(&self) -> bool {
        self.minor == 1 && !self.names("connection", "close")
    }

    /// How the body is delimited; two answers to that question are refused, as they are how
    /// requests are smuggled (RFC 9112 section 6.3).
    pub fn framing(&self) -> Result<Framing, u16> {
        let chunked = self.headers.iter().any(|(name, _)| name == "transfer-encoding");
        let mut length = None;
        for (_, value) in self.headers.iter().filter(|(name, _)| name == "content-length") {
            let text = std::str::from_utf8(value).map_err(|_| 400_u16)?.trim();
            if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(400);
            }
            let one = text.parse::<usize>().map_err(|_| 413_u16)?;
            if length.is_some_and(|other| other != one) {
                return Err(400);
            }
            length = Some(one);
        }
        match (chunked, length) {
            (true, Some(_)) => Err(400),
            (true, None) if self.names("transfer-encoding", "chunked") => Ok(Framing::Chunked),
            (true, None) => Err(501),
            (false, Some(length)) if length > MAX_BODY => Err(413),
            (false, length) => Ok(Framing::Length(length.unwrap_or(0))),
        }
    }
}

/// Path and query of a target, whichever form it has.
fn origin_form(target: &str) -> String {
    let Some((_, rest)) = target.split_once("://").filter(|_| !target.starts_with('/')) else {
        return target.to_owned();
    };
    match rest.find(['/', '?']) {
        Some(at) if rest.as_bytes()[at] == b'?' => format!("/{}", &rest[at..]),
        Some(at) => rest[at..].to_owned(),
        None => "/".to_owned(),
    }
}

/// Reads a body at the beginning of `bytes`: its content, and how many bytes it took.
pub(super) fn body(framing: Framing, bytes: &[u8]) -> Parsed<(Vec<u8>, usize)> {
    match framing {
        Framing::Length(length) => match bytes.get(..length) {
            Some(body) => Parsed::Whole((body.to_vec(), length)),
            None => Parsed::Partial,
        },
        Framing::Chunked => chunked(bytes),
    }
}

fn chunked(bytes: &[u8]) -> Parsed<(Vec<u8>, usize)> {
    let partial = |body: &Vec<u8>| {
        let long = body.len() > MAX_BODY || bytes.len() > MAX_BODY + MAX_FRAMING;
        if long { Parsed::Bad(413) } else { Parsed::Partial }
    };
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let (head, size) = match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return partial(&body),
            Err(_) => return Parsed::Bad(400),
        };
        at += head;
        if size == 0 {
            return match trailers(&bytes[at..]) {
                Some(len) => Parsed::Whole((body, at + len)),
                None => partial(&body),
            };
        }
        let Some(size) = usize::try_from(size).ok().filter(|size| body.len() + size <= MAX_BODY)
        else {
            return Parsed::Bad(413);
        };
        let data: Range<usize> = at..at + size;
        let Some(chunk) = bytes.get(data.clone()) else { return partial(&body) };
        match bytes.get(data.end..data.end + 2) {
            Some(b"\r\n") => {}
            Some(_) => return Parsed::Bad(400),
            None => return partial(&body),
        }
        body.extend_from_slice(chunk);
        at = data.end + 2;
    }
}

/// Length of the trailer section with its empty line, if it is all there.
fn trailers(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(b"\r\n") {
        return Some(2);
    }
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(headers: &str) -> Result<Framing, u16> {
        let text = format!("POST / HTTP/1.1\r\n{headers}\r\n");
        match Head::parse(text.as_bytes()) {
            Parsed::Whole(head) => head.framing(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_form_of_target_comes_down_to_path_and_query() {
        let check = |target: &str, expected: Option<&str>| {
            let parsed = Head::parse(format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes());
            let found = match parsed {
                Parsed::Whole(head) => Some(head.target),
                _ => None,
            };
            assert_eq!(found.as_deref(), expected, "{target}");
        };
        check("/v1/me?a=b", Some("/v1/me?a=b"));
        check("/v1/x?u=http://y/z", Some("/v1/x?u=http://y/z"));
        check("http://linktree/v1/me?a", Some("/v1/me?a"));
        check("http://linktree?a", Some("/?a"));
        check("http://linktree", Some("/"));
        check("*", None);
        check("host:80", None);
    }

    #[test]
    fn the_body_has_one_length_or_none() {
        assert_eq!(framing(""), Ok(Framing::Length(0)));
        assert_eq!(framing("Content-Length: 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(framing("Content-Length: 5\r\nContent-Length: 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(framing("Content-Length: 5\r\nContent-Length: 6\r\n"), Err(400));
        assert_eq!(framing("Content-Length: -1\r\n"), Err(400));
        assert_eq!(framing("Content-Length: 9999999\r\n"), Err(413));
        assert_eq!(framing("Transfer-Encoding: chunked\r\n"), Ok(Framing::Chunked));
        assert_eq!(framing("Transfer-Encoding: gzip\r\n"), Err(501));
        assert_eq!(framing("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), Err(400));
    }

    #[test]
    fn heads_that_are_too_large_or_no_http_are_told_apart() {
        assert_eq!(Head::parse(b"GET / HT"), Parsed::Partial);
        assert_eq!(Head::parse(b"\x16\x03\x01\x02\x00"), Parsed::Bad(400));
        let long = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(MAX_HEAD));
        assert_eq!(Head::parse(long.as_bytes()), Parsed::Bad(431));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: x\r\n".repeat(101));
        assert_eq!(Head::parse(many.as_bytes()), Parsed::Bad(431));
    }

    #[test]
    fn chunks_are_joined_and_every_prefix_is_partial() {
        let bytes = b"4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\nT: 1\r\n\r\n";
        for end in 0..bytes.len() {
            assert_eq!(body(Framing::Chunked, &bytes[..end]), Parsed::Partial, "{end}");
        }
        assert_eq!(
            body(Framing::Chunked, bytes),
            Parsed::Whole((b"Wikipedia".to_vec(), bytes.len()))
        );
        assert_eq!(body(Framing::Chunked, b"2\r\nabcd"), Parsed::Bad(400));
        assert_eq!(body(Framing::Chunked, b"zz\r\n"), Parsed::Bad(400));
        assert_eq!(body(Framing::Chunked, b"FFFFFFFF\r\n"), Parsed::Bad(413));
    }
}
