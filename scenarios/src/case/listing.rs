//! Lists of links as Linktree sent them: which page was asked for with which cursor, and what it held.

use mock_server::clock::Moment;
use mock_server::history::exchange::{Exchange, Listed};

/// One page of a list, or what came instead.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The exchange.
    pub id: u64,
    /// Last byte of the request.
    pub t_req: Moment,
    /// When the client may first have known the outcome.
    pub t_known: Moment,
    /// Path and query.
    pub target: String,
    /// The cursor that it was asked for with, if there was one.
    pub cursor: Option<String>,
    /// How many links a page was to hold, if that was said.
    pub limit: Option<usize>,
    /// The creator, where the route names one.
    pub handle: Option<String>,
    /// Whether the whole page was sent.
    pub is_whole: bool,
    /// Whether one client may take what was sent for a page, and another not.
    pub doubtful: bool,
    /// What it held.
    pub listed: Listed,
}

impl Listing {
    /// The list in an exchange, if there is one and somebody read it.
    pub(super) fn of(exchange: &mut Exchange) -> Option<Self> {
        let is_head = exchange.method == "HEAD";
        let listed = exchange.listed.take().filter(|_| !is_head)?;
        let target = exchange.target.clone();
        Some(Self {
            cursor: parameter(&target, "cursor").map(decoded).filter(|cursor| !cursor.is_empty()),
            limit: parameter(&target, "limit").and_then(|limit| limit.parse().ok()),
            id: exchange.id,
            t_req: exchange.t_req,
            t_known: exchange.t_known(),
            target,
            handle: exchange.handle.clone(),
            is_whole: exchange.is_success(),
            doubtful: exchange.doubtful,
            listed: *listed,
        })
    }
}

/// A parameter of the query, as it was written.
fn parameter<'t>(target: &'t str, name: &str) -> Option<&'t str> {
    let (_, query) = target.split_once('?')?;
    let mut named = query.split('&').filter_map(|one| one.split_once('='));
    named.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// What was meant: clients may encode what need not be (RFC 3986 section 2.1).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, left @ ..] = rest {
        let digits = left.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &left[2..];
            }
            None => {
                bytes.push(*first);
                rest = left;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::links;
    use mock_server::history::exchange::CursorIn;

    #[test]
    fn cursor_and_limit_are_read_however_they_are_written() {
        let of = |query: &str| {
            let target = format!("/v1/profiles/ann/links{query}");
            let listed = Some(Box::new(Listed::met(CursorIn::Fresh)));
            let listing = Listing::of(&mut Exchange { target, listed, ..links("ann", 5) }).unwrap();
            (listing.cursor, listing.limit)
        };
        let cursor = |text: &str| Some(text.to_owned());
        assert_eq!(of(""), (None, None));
        assert_eq!(of("?cursor=&limit=20"), (None, Some(20)));
        assert_eq!(of("?limit=7&cursor=a-b_c"), (cursor("a-b_c"), Some(7)));
        assert_eq!(of("?cursor=a%2Db%5fc%"), (cursor("a-b_c%"), None));
        let head = Exchange { method: "HEAD".into(), ..links("ann", 5) };
        assert!(Listing::of(&mut head.clone()).is_none());
    }
}
