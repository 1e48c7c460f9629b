//! What an answer of a live deployment comes to: read up to a bound, and named for what it is.

use super::PATIENCE;
use crate::body::{self, Ended};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Response, StatusCode};
use serde_json::Value;

/// The most that is read of an answer, bytes: a page of one link takes less than a thousandth of it.
const MOST: usize = 1024 * 1024;
/// How JSON must not begin (RFC 8259 section 8.1), though editors and some frameworks write it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// As many characters of a location tell a person where it leads.
const SHOWN: usize = 120;

/// The status, and where a redirect leads.
pub(super) fn told(answer: &Response) -> String {
    let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
    match to.filter(|_| answer.status().is_redirection()) {
        // A query or a user name may hold what is not ours to print.
        Some(to) if !to.contains(['?', '@']) && to.len() <= SHOWN => {
            format!("{} to {to}", answer.status())
        }
        _ => answer.status().to_string(),
    }
}

/// Whether a webhook endpoint is there, going by its answer to `HEAD`, as the mock tells when one is
/// registered: most frameworks refuse HEAD where they take POST only, and some ask for a signature.
pub(super) fn endpoint(status: StatusCode) -> Result<&'static str, &'static str> {
    match status.as_u16() {
        405 => Ok(": it is there, and takes other methods only"),
        401 => Ok(": it is there, and wants a credential"),
        404 | 410 => Err(": there is no such endpoint"),
        300..=399 => Err(": deliveries follow no redirect, so name the address that it leads to"),
        500.. => Err(""),
        400..=499 => Ok(": it is there, though it refuses HEAD"),
        _ => Ok(""),
    }
}

/// Reads a page of links.
///
/// # Errors
///
/// In words, why it is none.
pub(super) async fn links(mut answer: Response) -> Result<(), String> {
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let says_html = kind.is_some_and(|kind| kind.contains("html"));
    match body::beginning(&mut answer, MOST).await {
        (body, Ended::Whole) => listed(&body, says_html),
        (_, Ended::Broken(error)) => Err(words(&error)),
        (_, Ended::Longer) => {
            Err(format!("the answer is larger than {MOST} bytes, which no page of one link is"))
        }
    }
}

fn listed(body: &[u8], says_html: bool) -> Result<(), String> {
    let is = |what: &str| Err(format!("the answer is {what}"));
    if body.starts_with(BYTE_ORDER_MARK) {
        return is("no JSON: it begins with a byte order mark, which parsers may refuse");
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(page) if page["data"].is_array() => Ok(()),
        Ok(_) => Err("the answer has no list of links".to_owned()),
        Err(_) if body.trim_ascii().is_empty() => is("empty"),
        Err(_) if says_html || body.trim_ascii_start().starts_with(b"<") => {
            is("an HTML page and no JSON: does a sign-in or a proxy stand before it?")
        }
        Err(error) => is(&format!("no JSON: {error}")),
    }
}

/// An error without its address, which may hold what is not ours to print.
pub(super) fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        format!("no answer within {} s", PATIENCE.as_secs())
    } else if error.is_connect() {
        "no connection: is it up, and are host and port right?".to_owned()
    } else {
        "the answer broke off".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_place_of_links_is_named_for_what_it_is() {
        let check = |body: &[u8], says_html: bool, expected: &str| {
            let said = listed(body, says_html).err().unwrap_or_default();
            assert!(said.contains(expected), "{said}");
            assert_eq!(said.is_empty(), expected.is_empty(), "{said}");
        };
        check(b"{\"data\":[]}", false, "");
        check(b" {\"data\":[]}\n", true, "");
        check(b"\xef\xbb\xbf{\"data\":[]}", false, "byte order mark");
        check(b"<!doctype html><title>Sign in</title>", true, "HTML page");
        check(b"\n<html>", false, "HTML page");
        check(b"{\"data\":{}}", false, "no list of links");
        check(b" \n", false, "empty");
        check(b"{\"data\":[", false, "no JSON: EOF");
    }

    #[test]
    fn an_endpoint_that_refuses_head_is_there() {
        let check = |status: u16, is_there: bool| {
            let told = endpoint(StatusCode::from_u16(status).unwrap());
            assert_eq!(told.is_ok(), is_there, "{status}");
        };
        for status in [200, 204, 400, 401, 403, 405, 415, 422, 429] {
            check(status, true);
        }
        for status in [301, 308, 404, 410, 500, 503] {
            check(status, false);
        }
    }
}
