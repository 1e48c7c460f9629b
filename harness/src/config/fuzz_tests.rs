//! Whatever stands in a configuration is used, or every mistake is told in words and with its place.

use super::parse;
use crate::failure::{Failure, MistakesInFile};
use crate::mutations::{corpus, inputs};
use proptest::prelude::*;
use std::path::Path;

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
        let text = String::from_utf8_lossy(&bytes);
        if let Err(mistakes) = parse(&text, Path::new(".")) {
            prop_assert!(!mistakes.is_empty());
            let told = MistakesInFile::new("windthrow.toml", &text, mistakes);
            for mistake in &told.mistakes {
                prop_assert!(!mistake.what.is_empty() && !mistake.help.is_empty());
                let _ = mistake.shown(&text);
            }
            let shown = format!("{:?}", miette::Report::from(Failure::Mistakes(Box::new(told))));
            prop_assert!(shown.contains("windthrow.toml"), "{}", shown);
        }
    }
}
