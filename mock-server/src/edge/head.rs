//! Reads request heads from raw bytes, and says what is wrong with them.

use super::body::{Framing, MAX_BODY};
use super::fields::Fields;

/// The largest request head, bytes.
pub(super) const MAX_HEAD: usize = 32 * 1024;

/// The most header fields in one head.
const MAX_FIELDS: usize = 100;

/// A request's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub method: String,
    /// Path and query; an absolute form has lost its scheme and authority. `*` for `OPTIONS` of
    /// the whole server, host and port for `CONNECT`.
    pub target: String,
    /// 0 or 1.
    pub minor: u8,
    pub headers: Fields,
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

impl Head {
    /// The verdict depends on the first [`MAX_HEAD`] bytes alone, so that it is the same however
    /// the bytes come in.
    pub fn parse(bytes: &[u8]) -> Parsed<Self> {
        let bytes = &bytes[..bytes.len().min(MAX_HEAD)];
        let mut slots = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut request = httparse::Request::new(&mut slots);
        let len = match request.parse(bytes) {
            Ok(httparse::Status::Complete(len)) => len,
            Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD => return Parsed::Partial,
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                return Parsed::Bad(431);
            }
            Err(httparse::Error::Version) if names_http(bytes) => return Parsed::Bad(505),
            Err(_) => return Parsed::Bad(400),
        };
        let method = request.method.unwrap_or_default();
        let target = origin_form(request.path.unwrap_or_default());
        // RFC 9112 section 3.2: the other two forms belong to one method each.
        let fits = match method {
            "CONNECT" => true,
            "OPTIONS" if target == "*" => true,
            _ => target.starts_with('/'),
        };
        if !fits || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Parsed::Bad(400);
        }
        let mut headers = Fields::with_room(request.headers.len(), len);
        request.headers.iter().for_each(|header| headers.push(header.name, header.value));
        Parsed::Whole(Self {
            method: method.to_owned(),
            target,
            minor: request.version.unwrap_or(1),
            headers,
            len,
        })
    }

    /// The first value of a header as text.
    pub fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.all(name).next()?;
        Some(String::from_utf8_lossy(value).trim().to_owned())
    }

    /// All lines of a header as one (RFC 9110 section 5.3).
    pub fn lines(&self, name: &str) -> Option<String> {
        let lines =
            self.headers.all(name).map(|value| String::from_utf8_lossy(value).trim().to_owned());
        lines.reduce(|all, line| format!("{all}, {line}"))
    }

    /// Whether it names one host, which HTTP/1.0 may leave out (RFC 9112 section 3.2).
    pub fn names_its_host(&self) -> bool {
        let mut lines = self.headers.all("host");
        match (lines.next(), lines.next()) {
            (None, _) => self.minor == 0,
            (Some(host), None) => host.trim_ascii().iter().all(|byte| may_name_host(*byte)),
            (Some(_), Some(_)) => false,
        }
    }

    /// Whether a list-valued header names this token.
    pub fn names(&self, header: &str, token: &str) -> bool {
        self.headers
            .all(header)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|one| one.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Whether the connection stays open after the answer (RFC 9112 section 9.3).
    pub fn keeps_alive(&self) -> bool {
        let asked = self.minor == 1 || self.names("connection", "keep-alive");
        asked && !self.names("connection", "close")
    }

    /// How the body is delimited; two answers to that question are refused, as they are how
    /// requests are smuggled (RFC 9112 section 6.3). A tunnel has no body, and is never built.
    pub fn framing(&self) -> Result<Framing, u16> {
        if self.method == "CONNECT" {
            return Err(501);
        }
        let mut length = None;
        for value in self.headers.all("content-length") {
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
        let mut codings = self.headers.all("transfer-encoding");
        match (codings.next(), length) {
            (Some(_), Some(_)) => Err(400),
            // RFC 9112 section 6.1: HTTP/1.0 knows no codings, so this is how a relay is fooled.
            (Some(_), None) if self.minor == 0 => Err(400),
            (Some(only), None) => {
                let chunked = only.trim_ascii().eq_ignore_ascii_case(b"chunked");
                if chunked && codings.next().is_none() { Ok(Framing::Chunked) } else { Err(501) }
            }
            (None, Some(length)) if length > MAX_BODY => Err(413),
            (None, length) => Ok(Framing::Length(length.unwrap_or(0))),
        }
    }
}

/// Bytes of empty lines before a request, which a server ignores (RFC 9112 section 2.2).
pub(super) fn empty_lines(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match &bytes[at..] {
            [b'\n', ..] => at += 1,
            [b'\r', b'\n', ..] => at += 2,
            _ => return at,
        }
    }
}

/// Whether the third word of the request line is some version of HTTP.
fn names_http(bytes: &[u8]) -> bool {
    let line = bytes[empty_lines(bytes)..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.split(|byte| *byte == b' ').nth(2).is_some_and(|word| word.starts_with(b"HTTP/"))
}

/// Whether a host or its port may be written with it (RFC 3986 sections 3.2.2 and 3.2.3).
fn may_name_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&byte)
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

#[cfg(test)]
mod tests {
    use super::super::tests::fuzz::{mutated, request};
    use super::*;
    use proptest::prelude::*;

    fn framing(headers: &str) -> Result<Framing, u16> {
        framing_of(&format!("POST / HTTP/1.1\r\n{headers}\r\n"))
    }

    fn framing_of(text: &str) -> Result<Framing, u16> {
        match Head::parse(text.as_bytes()) {
            Parsed::Whole(head) => head.framing(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_form_of_target_comes_down_to_path_and_query() {
        let check = |line: &str, expected: Option<&str>| {
            let parsed = Head::parse(format!("{line} HTTP/1.1\r\n\r\n").as_bytes());
            let found = match parsed {
                Parsed::Whole(head) => Some(head.target),
                other => {
                    assert_eq!(other, Parsed::Bad(400));
                    None
                }
            };
            assert_eq!(found.as_deref(), expected, "{line}");
        };
        check("GET /v1/me?a=b", Some("/v1/me?a=b"));
        check("GET /v1/x?u=http://y/z", Some("/v1/x?u=http://y/z"));
        check("GET http://linktree/v1/me?a", Some("/v1/me?a"));
        check("GET http://linktree?a", Some("/?a"));
        check("GET http://linktree", Some("/"));
        check("GET *", None);
        check("GET host:80", None);
        check("OPTIONS *", Some("*"));
        check("CONNECT host:80", Some("host:80"));
    }

    #[test]
    fn the_body_has_one_length_or_none() {
        assert_eq!(framing(""), Ok(Framing::Length(0)));
        assert_eq!(framing("Content-Length: 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(framing("Content-Length: 5\r\nContent-Length: 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(framing("Content-Length: 5\r\nContent-Length: 6\r\n"), Err(400));
        assert_eq!(framing("Content-Length: -1\r\n"), Err(400));
        assert_eq!(framing("Content-Length: 5, 5\r\n"), Err(400));
        assert_eq!(framing("Content-Length: 9999999\r\n"), Err(413));
        assert_eq!(framing("Content-Length: 99999999999999999999999\r\n"), Err(413));
        assert_eq!(framing("Transfer-Encoding: chunked\r\n"), Ok(Framing::Chunked));
        assert_eq!(framing("Transfer-Encoding: gzip\r\n"), Err(501));
        assert_eq!(framing("Transfer-Encoding: gzip, chunked\r\n"), Err(501));
        let twice = "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n";
        assert_eq!(framing(twice), Err(501));
        assert_eq!(framing("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), Err(400));
        let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(framing_of(old), Err(400));
        assert_eq!(framing_of("CONNECT host:80 HTTP/1.1\r\n\r\n"), Err(501));
    }

    #[test]
    fn http_1_1_names_one_host_and_http_1_0_at_most_one() {
        let check = |version: &str, headers: &str, expected: bool| {
            let text = format!("GET / HTTP/{version}\r\n{headers}\r\n");
            let Parsed::Whole(head) = Head::parse(text.as_bytes()) else { panic!("{text}") };
            assert_eq!(head.names_its_host(), expected, "{text}");
        };
        for one in ["Host: a:80\r\n", "host: [::1]:80\r\n", "HOST:\r\n"] {
            check("1.1", one, true);
            check("1.0", one, true);
        }
        check("1.1", "", false);
        check("1.0", "", true);
        for wrong in ["Host: a\r\nHost: a\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: u@a\r\n"] {
            check("1.1", wrong, false);
            check("1.0", wrong, false);
        }
    }

    #[test]
    fn the_lines_of_a_header_are_one_list() {
        let text = b"GET / HTTP/1.1\r\nAccept: a/b\r\nHost: x\r\naccept:  c/d, e/f\r\n\r\n";
        let Parsed::Whole(head) = Head::parse(text) else { panic!() };
        assert_eq!(head.lines("accept").as_deref(), Some("a/b, c/d, e/f"));
        assert_eq!(head.lines("host").as_deref(), Some("x"));
        assert_eq!(head.lines("range"), None);
    }

    #[test]
    fn a_connection_stays_as_its_version_and_its_header_say() {
        let check = |version: &str, header: &str, expected: bool| {
            let text = format!("GET / HTTP/{version}\r\nConnection: {header}\r\n\r\n");
            let Parsed::Whole(head) = Head::parse(text.as_bytes()) else { panic!("{text}") };
            assert_eq!(head.keeps_alive(), expected, "{text}");
        };
        check("1.1", "", true);
        check("1.1", "Close", false);
        check("1.1", "te, close", false);
        check("1.0", "", false);
        check("1.0", "Keep-Alive", true);
        check("1.0", "keep-alive, close", false);
    }

    #[test]
    fn kinds_of_what_is_no_request_are_distinguished() {
        assert_eq!(Head::parse(b"GET / HT"), Parsed::Partial);
        assert_eq!(Head::parse(b"\x16\x03\x01\x02\x00"), Parsed::Bad(400));
        assert_eq!(Head::parse(b"GET / SIP/2.0\r\n\r\n"), Parsed::Bad(400));
        assert_eq!(Head::parse(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Parsed::Bad(505));
        let long = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(MAX_HEAD));
        for end in ["", "\r\n\r\n", "\0"] {
            let verdict = Head::parse(format!("{long}{end}").as_bytes());
            assert_eq!(verdict, Parsed::Bad(431), "whatever comes after too much");
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: x\r\n".repeat(101));
        assert_eq!(Head::parse(many.as_bytes()), Parsed::Bad(431));
    }

    #[test]
    fn only_whole_empty_lines_are_skipped() {
        let check = |text: &str, expected| assert_eq!(empty_lines(text.as_bytes()), expected);
        check("", 0);
        check("\r\n\n\r\nGET", 5);
        check("\r", 0);
        check("\rG", 0);
        check("GET", 0);
    }

    /// Once the verdict on some first bytes is there, more bytes do not change it.
    fn settles(bytes: &[u8]) -> Result<(), TestCaseError> {
        let last = Head::parse(bytes);
        for end in 0..bytes.len() {
            let early = Head::parse(&bytes[..end]);
            if early != Parsed::Partial {
                prop_assert_eq!(&early, &last, "after {} bytes", end);
            }
        }
        Ok(())
    }

    proptest! {
        /// Every prefix of a right head is partial, and its length is its own, whatever follows.
        #[test]
        fn a_head_is_whole_with_its_last_byte_and_not_before(
            mut bytes in request(),
            after in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let len = bytes.len();
            for end in 0..len {
                prop_assert_eq!(Head::parse(&bytes[..end]), Parsed::Partial);
            }
            bytes.extend_from_slice(&after);
            let Parsed::Whole(head) = Head::parse(&bytes) else { panic!("{bytes:?}") };
            prop_assert_eq!(head.len, len);
        }

        /// Arbitrary bytes never panic, and the cuts between reads change nothing.
        #[test]
        fn arbitrary_bytes_have_one_verdict(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            settles(&bytes)?;
        }

        /// Nor do almost right requests.
        #[test]
        fn almost_right_requests_have_one_verdict(bytes in mutated()) {
            settles(&bytes)?;
            if let Parsed::Whole(head) = Head::parse(&bytes) {
                prop_assert!(head.len <= bytes.len());
                let _ = (head.framing(), head.keeps_alive());
            }
        }
    }
}
