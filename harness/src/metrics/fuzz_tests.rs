//! Whatever a target answers to a scrape is read, in time that grows with its length.

use super::exposition::Exposition;
use super::{MetricNames, Picks};
use crate::mutations::{corpus, inputs};
use mock_server::clock::Clock;
use proptest::prelude::*;
use std::time::Duration;

const WORDS: &[&str] = &[
    "{", "}", "\"", "\\", "\\\"", ",", "=", "\n", "#", "# TYPE ", "le=\"", "+Inf", "-Inf", "NaN",
    "1e400", "_bucket", "\u{2028}", " ",
];

/// What is read of each sample, written again.
fn written(exposition: &Exposition<'_>) -> String {
    let escaped =
        |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let mut text = String::new();
    for sample in exposition.samples() {
        let labels = sample.series.labels.iter();
        let labels: Vec<_> =
            labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        text += &format!("{}{{{}}} {}\n", sample.series.name, labels.join(","), sample.value);
    }
    text
}

proptest! {
    #[test]
    fn any_answer_is_read_and_what_is_read_of_it_can_be_written_again(
        bytes in inputs(corpus("metrics"), WORDS),
    ) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = Picks::of(&MetricNames::default()).figures(&text);
        let exposition = Exposition::parse(&text);
        let again = written(&exposition);
        prop_assert_eq!(written(&Exposition::parse(&again)), again);
    }
}

#[test]
fn many_buckets_and_long_labels_are_read_quickly() {
    let name = "linktree_upstream_request_duration_seconds_bucket";
    let buckets: String = (0..50_000).map(|n| format!("{name}{{le=\"{n}\"}} {n}\n")).collect();
    let label = format!("{name}{{le=\"{}\"}} 1\n", "\\n".repeat(500_000));
    let braces = "m{a=\"b\",".repeat(100_000);
    for text in [buckets + name + "{le=\"+Inf\"} 50000\n", label, braces] {
        let clock = Clock::start();
        let _ = Picks::of(&MetricNames::default()).figures(&text);
        assert!(clock.now().since(mock_server::clock::Moment::ZERO) < Duration::from_secs(2));
    }
}
