//! Makes text from outside fit to be shown: nothing in it is unseen, moves the cursor or reorders its
//! neighbours. [`clean`] keeps lines and places, for errors and logs; reports have one line of bounded
//! length.
//!
//! Escaping for a format stays with its renderer; what is removed here is
//! dangerous or unreadable in all of them.

mod every;

use crate::report::CounterExample;

/// The text in which a sign of the same length, in bytes, stands for each character that must not be
/// shown: what is underlined in it stays where it is, and lines stay lines.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => shown.push(character),
            // At the end of a line it is how some editors end lines, elsewhere it would hide the line.
            '\r' => shown.push(' '),
            other if !is_unseen(other) => shown.push(other),
            other => shown.push_str(match other.len_utf8() {
                1 => "?",
                2 => "¿",
                3 => "\u{fffd}",
                _ => "\u{fffd}?",
            }),
        }
    }
    shown
}

/// The text without the sequences that set colours and styles, which programs also write to logs.
#[must_use]
pub fn without_styles(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let settings =
            from[2..].trim_start_matches(|c: char| c.is_ascii_digit() || ";:".contains(c));
        // Whatever does not end like a style stays, for `clean` to show.
        rest = settings.strip_prefix('m').unwrap_or_else(|| {
            plain.push('\u{1b}');
            &from[1..]
        });
    }
    plain.push_str(rest);
    plain
}

/// Whether a character is not seen, or changes how others are seen. Of those that fonts use to join
/// or to choose shapes, the selectors stay: signs in colour are written with them.
fn is_unseen(character: char) -> bool {
    match character {
        // Fillers and joiners without width.
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' => true,
        '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{1d173}'..='\u{1d17a}' => true,
        // Directions.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' => true,
        '\u{2065}'..='\u{206f}' => true,
        // Lines that no editor counts, annotations, and what is no character.
        '\u{2028}' | '\u{2029}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' => true,
        // Tags.
        '\u{e0000}'..='\u{e0fff}' => true,
        other => other.is_control(),
    }
}

/// The text on one line, without control and direction characters, at most `max_chars` long.
pub(crate) fn printable(text: &str, max_chars: usize) -> String {
    let mut shown: String = text.chars().filter_map(shown).take(max_chars + 1).collect();
    if let Some((cut, _)) = shown.char_indices().nth(max_chars) {
        shown.truncate(cut);
        shown.push('…');
    }
    shown
}

/// What is shown for one character; nothing if it could move the cursor or reorder its neighbours.
fn shown(character: char) -> Option<char> {
    match character {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        other => (!is_unseen(other)).then_some(other),
    }
}

/// A time of the scenario in seconds.
pub(crate) fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

/// A moment of the scenario: `12.345 s`, or `0.250 s before the traffic`, as the lines of a story say it.
pub(crate) fn moment(at_ms: i64) -> String {
    let told = seconds(at_ms.unsigned_abs());
    if at_ms < 0 { format!("{told} before the traffic") } else { told }
}

/// A duration as people say it: `14.5 s`, `2 min 5 s`.
pub(crate) fn duration(ms: u64) -> String {
    match (ms / 60_000, ms % 60_000) {
        (0..2, _) => format!("{} s", number(ms as f64 / 1e3)),
        (minutes, 0..1_000) => format!("{minutes} min"),
        (minutes, rest) => format!("{minutes} min {} s", rest / 1_000),
    }
}

/// A short time: `250 µs`, `3.1 ms`, `1.2 s`.
pub(crate) fn micros(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", number(us as f64 / 1e3)),
        _ => format!("{} s", number(us as f64 / 1e6)),
    }
}

/// As much of a hash as tells two apart.
pub(crate) fn short_hash(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// Several names as people say them, and of many the first: `a, b and c`, `a, b and 2 more`.
#[must_use]
pub fn listed(names: &[impl AsRef<str>], max: usize) -> String {
    let mut said: Vec<String> =
        names.iter().take(max).map(|name| name.as_ref().to_owned()).collect();
    let last = match names.len() - said.len() {
        0 => said.pop(),
        more => Some(format!("{more} more")),
    };
    match last {
        Some(last) if said.is_empty() => last,
        Some(last) => format!("{} and {last}", said.join(", ")),
        None => String::new(),
    }
}

impl CounterExample {
    /// The faults that were active, in words; of dozens the first few.
    pub(crate) fn faults(&self) -> String {
        match self.active_faults.as_slice() {
            [] => "no fault was active".into(),
            some => format!("active: {}", listed(some, 4)),
        }
    }
}

/// A measured number without noise digits.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".into() } else { text.into() }
}

/// What was measured, or that it was not.
pub(crate) fn measured<T>(value: Option<T>, words: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "not measured".to_owned(), words)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::renderers::RENDERERS;
    use crate::report::{ChangeKind, Report};

    fn check(text: &str, expected: &str) {
        assert_eq!(printable(text, 12), expected);
    }

    /// Proves that no renderer dates what came before the traffic to its beginning.
    #[test]
    fn what_came_before_the_traffic_is_told_so_in_every_report() {
        let mut report = Report::example();
        let early = report.cells.iter_mut().flat_map(|cell| &mut cell.counter_examples);
        early.for_each(|example| example.at_ms = -250);
        let early = report.scenarios.iter_mut().flat_map(|scenario| &mut scenario.markers);
        early.for_each(|marker| marker.at_ms = -250);
        for renderer in RENDERERS {
            let mut out = Vec::new();
            renderer.render(&report, &mut out).unwrap();
            let told = String::from_utf8(out).unwrap();
            let early = match renderer.name() {
                "json" => "-250",
                // A quarter of a second before the run began.
                "openmetrics" => " 1772330399.750\n",
                _ => "0.250 s before the traffic",
            };
            assert!(told.contains(early), "{}: {told}", renderer.name());
        }
    }

    #[test]
    fn escape_sequences_lose_their_escape() {
        check("\u{1b}[2Jgone", "[2Jgone");
    }

    #[test]
    fn lines_become_one() {
        check("a\r\nb\tc", "a  b c");
    }

    #[test]
    fn direction_overrides_go() {
        check("ab\u{202e}cd\u{2066}", "abcd");
    }

    #[test]
    fn what_has_no_width_goes() {
        check("a\u{200b}b\u{2060}c\u{ad}d\u{3164}", "abcd");
    }

    #[test]
    fn a_text_that_is_cleaned_keeps_its_lines_and_places() {
        let hostile = "a\u{1b}[31m\r\nb\u{202e}c\u{85}\td\u{e0041}é\u{200b}\u{7f}";
        let shown = clean(hostile);
        assert_eq!(shown, "a?[31m \nb\u{fffd}c¿\td\u{fffd}?é\u{fffd}?");
        assert_eq!(shown.len(), hostile.len());
        assert_eq!(clean("✔️ done"), "✔️ done");
    }

    #[test]
    fn styles_go_and_other_sequences_stay_to_be_cleaned() {
        let check = |text: &str, plain: &str| assert_eq!(without_styles(text), plain);
        check("\u{1b}[1;31mred\u{1b}[0m", "red");
        check("\u{1b}[2J\u{1b}[m!\u{1b}", "\u{1b}[2J!\u{1b}");
        check("\u{1b}[38:5:1m\u{1b}[é", "\u{1b}[é");
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        let durations = [900, 14_500, 119_999, 120_000, 125_300].map(duration);
        assert_eq!(durations, ["0.9 s", "14.5 s", "120 s", "2 min", "2 min 5 s"]);
        assert_eq!([250, 3_140, 1_200_000].map(micros), ["250 µs", "3.1 ms", "1.2 s"]);
    }

    #[test]
    fn long_text_says_that_it_was_cut() {
        check("twelve chars", "twelve chars");
        check("twelve chars!", "twelve chars…");
    }

    /// Proves that no text field escapes the cleaning: a stranger's text anywhere is found.
    #[test]
    fn every_text_is_visited() {
        fn texts(value: &Value, key: &str, found: &mut Vec<(String, String)>) {
            match value {
                Value::String(text) => found.push((key.to_owned(), text.clone())),
                Value::Array(items) => items.iter().for_each(|item| texts(item, key, found)),
                Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                    texts(value, key, found);
                }),
                _ => {}
            }
        }
        let replaced = serde_json::to_value(Report::example().with_every_text_after("§")).unwrap();
        let mut found = Vec::new();
        texts(&replaced, "", &mut found);
        let enums =
            ["verdict", "ending", "priority", "severity", "unit", "better", "was", "is", "state"];
        let kinds = ChangeKind::ALL.map(|kind| serde_json::json!(kind));
        let missed: Vec<_> = found
            .iter()
            .filter(|(key, text)| !text.starts_with('§') && !enums.contains(&key.as_str()))
            // Faults have kinds as well, which are texts.
            .filter(|(key, text)| key != "kind" || !kinds.contains(&serde_json::json!(text)))
            .collect();
        assert!(missed.is_empty(), "{missed:?}");
    }

    #[test]
    fn names_are_listed_as_people_say_them() {
        let check = |names: &[&str], expected: &str| assert_eq!(listed(names, 3), expected);
        check(&[], "");
        check(&["a"], "a");
        check(&["a", "b"], "a and b");
        check(&["a", "b", "c"], "a, b and c");
        check(&["a", "b", "c", "d", "e"], "a, b, c and 2 more");
        assert_eq!(listed(&["a", "b"], 0), "2 more");
    }

    #[test]
    fn of_many_faults_the_first_few_are_named() {
        let with = |count: usize| {
            let active_faults = (1..=count).map(|n| format!("fault-{n}")).collect();
            CounterExample { active_faults, ..CounterExample::default() }.faults()
        };
        assert_eq!(with(0), "no fault was active");
        assert_eq!(with(2), "active: fault-1 and fault-2");
        assert_eq!(with(50), "active: fault-1, fault-2, fault-3, fault-4 and 46 more");
    }
}
