//! The format of the history, by one line of each kind of event, with every field that it may have.

use super::{Event, HISTORY_FORMAT};
use std::collections::BTreeSet;

const LINES: &str = include_str!("lines.ndjson");

/// A number for each kind of event. Whoever adds a kind adds its number here, and a line.
const fn kind(event: &Event<'_>) -> u8 {
    match event {
        Event::Opened(_) => 0,
        Event::Tolerances(_) => 1,
        Event::Headroom(_) => 2,
        Event::Reach(_) => 3,
        Event::Armed { .. } => 4,
        Event::Operation(_) => 5,
        Event::Exchange(_) => 6,
        Event::Delivery(_) => 7,
        Event::Reachability(_) => 8,
        Event::SecretRead(_) => 9,
        Event::Alert(_) => 10,
        Event::Process(_) => 11,
        Event::Inspection(_) => 12,
        Event::Scrape(_) => 13,
        Event::Leak(_) => 14,
        Event::Scanned(_) => 15,
        Event::Lag { .. } => 16,
        Event::World(_) => 17,
        Event::Overload(_) => 18,
        Event::Generator(_) => 19,
        Event::Closed { .. } => 20,
        Event::Body(_) => 21,
        Event::Bodies(_) => 22,
        Event::Timers(_) => 23,
        Event::Starved { .. } => 24,
        Event::Waits(_) => 25,
        Event::Checkpoint { .. } => 26,
        Event::Mock { .. } => 27,
        Event::Handshake(_) => 28,
        Event::Front { .. } => 29,
        Event::Kept(_) => 30,
        Event::Held(_) => 31,
    }
}

fn events() -> impl Iterator<Item = (&'static str, Event<'static>)> {
    LINES.lines().map(|line| match serde_json::from_str(line) {
        Ok(event) => (line, event),
        Err(error) => panic!("{error}: {line}"),
    })
}

#[test]
fn every_kind_of_event_is_written_as_its_line_with_every_name_once() {
    let mut kinds = BTreeSet::new();
    for (line, event) in events() {
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
        crate::strict_json::check(line);
        kinds.insert(kind(&event));
    }
    assert_eq!(kinds, (0..=31).collect(), "each kind has a line");
    let Some((_, Event::Opened(opened))) = events().next() else { panic!("it is opened first") };
    assert_eq!(opened.format, HISTORY_FORMAT);
}

/// Whether somewhere in this JSON a number is no whole one.
fn has_fraction(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Number(number) => !number.is_u64() && !number.is_i64(),
        serde_json::Value::Array(items) => items.iter().any(has_fraction),
        serde_json::Value::Object(fields) => fields.values().any(has_fraction),
        _ => false,
    }
}

#[test]
fn moments_and_durations_are_whole_numbers_and_only_exposed_metrics_are_not() {
    for (line, event) in events() {
        let value = serde_json::from_str(line).unwrap();
        assert_eq!(has_fraction(&value), matches!(event, Event::Scrape(_)), "{line}");
    }
}
