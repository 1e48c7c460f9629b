//! Whatever a target answers to a scrape is read, in time that grows with its length.

use super::fuzz::{check, datagrams, exports, puts};
use super::{Exposition, MetricNames, Picks};
use crate::mutations::{corpus, inputs};
use mock_server::clock::Clock;
use proptest::prelude::*;
use std::time::Duration;

const WORDS: &[&str] = &[
    "{", "}", "\"", "\\", "\\\"", ",", "=", "\n", "#", "# TYPE ", "le=\"", "+Inf", "-Inf", "NaN",
    "1e400", "_bucket", "\u{2028}", " ",
];

proptest! {
    #[test]
    fn any_answer_is_read_and_what_is_read_of_it_can_be_written_again(
        bytes in inputs(corpus("metrics"), WORDS),
    ) {
        check(&bytes);
    }
}

/// Words of what is pushed.
const PUSHED: &[&str] = &[
    "|c",
    "|ms",
    "|h",
    "|g",
    "|@0.1",
    "|#",
    ":",
    "\n",
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    "NaN",
    "-1",
    "1e400",
    "&",
    "=",
    ".member.",
    "18446744073709551616",
    "\"asInt\":",
    "\u{2028}",
    "\0",
];

proptest! {
    #[test]
    fn whatever_is_pushed_what_comes_after_it_counts(
        dogstatsd in inputs(corpus("dogstatsd"), PUSHED),
        otlp in inputs(corpus("otlp"), PUSHED),
        cloudwatch in inputs(corpus("cloudwatch"), PUSHED),
    ) {
        datagrams(&dogstatsd);
        exports(&otlp);
        puts(&cloudwatch);
    }
}

#[test]
fn each_of_the_corpora_is_read() {
    corpus("metrics").iter().for_each(|bytes| check(bytes));
    corpus("dogstatsd").iter().for_each(|bytes| datagrams(bytes));
    corpus("otlp").iter().for_each(|bytes| exports(bytes));
    corpus("cloudwatch").iter().for_each(|bytes| puts(bytes));
}

#[test]
fn many_buckets_and_long_labels_are_read_quickly() {
    let name = "linktree_upstream_request_duration_seconds_bucket";
    let buckets: String = (0..50_000).map(|n| format!("{name}{{le=\"{n}\"}} {n}\n")).collect();
    let label = format!("{name}{{le=\"{}\"}} 1\n", "\\n".repeat(500_000));
    let braces = "m{a=\"b\",".repeat(100_000);
    for text in [buckets + name + "{le=\"+Inf\"} 50000\n", label, braces] {
        let clock = Clock::start();
        let _ = Picks::of(&MetricNames::default()).figures(&Exposition::parse(&text));
        assert!(clock.now().since(mock_server::clock::Moment::ZERO) < Duration::from_secs(2));
    }
}
