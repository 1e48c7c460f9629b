//! Whatever bytes come, the edge's parsers have one verdict in bounded memory, and what they take for right
//! is what others take it for.

use super::super::fuzz::{chunked, head};
use super::mutations::{corpus, inputs};
use proptest::prelude::*;

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

proptest! {
    #[test]
    fn a_head_has_one_verdict_and_can_be_written_again(bytes in inputs(corpus("head"), WORDS)) {
        head(&bytes);
    }

    #[test]
    fn a_chunked_body_has_one_verdict_and_is_what_the_standard_says(
        wire in inputs(corpus("chunked"), WORDS),
    ) {
        chunked(&wire);
    }
}

#[test]
fn each_of_the_corpus_is_read() {
    corpus("head").iter().for_each(|bytes| head(bytes));
    corpus("chunked").iter().for_each(|wire| chunked(wire));
}
