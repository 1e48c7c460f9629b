//! Whatever stands in a configuration is used, or every mistake is told in words and with its place.

use super::fuzz::check;
use crate::mutations::{corpus, inputs};
use proptest::prelude::*;

const WORDS: &[&str] = &[
    "[",
    "]",
    "[[",
    "=",
    "\"",
    "\"\"\"",
    "'",
    "\n",
    "#",
    "{",
    "}",
    ".",
    "-1",
    "0",
    "9223372036854775808",
    "1979-05-27",
    "inf",
    "\\u0000",
    "\u{feff}",
    "[target.url]",
    "[guarantee.",
    "é",
    "a.b.c.d = 1\n",
];

proptest! {
    #[test]
    fn a_configuration_of_any_text_is_used_or_refused_in_words(
        bytes in inputs(corpus("config"), WORDS),
    ) {
        check(&bytes);
    }
}

#[test]
fn each_of_the_corpus_is_read() {
    corpus("config").iter().for_each(|bytes| check(bytes));
}
