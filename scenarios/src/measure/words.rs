//! Says measures in words: the one place where numbers become text.

use super::{Better, Measure, Unit};
use std::time::Duration;

/// A duration as people say it: `250 µs`, `4.2 ms`, `850 ms`, `12.345 s`, `2 min 5 s`. Parts that are
/// not said are rounded up.
#[must_use]
pub fn humane(duration: Duration) -> String {
    time(duration.as_nanos().div_ceil(1_000), true)
}

/// `slowest click: 12.3 s`.
pub(super) fn observed(measure: &Measure) -> String {
    // What is said lies never further on the good side than what was seen.
    let up = measure.better == Better::Less;
    format!("{}: {}", measure.name, quantity(measure.observed, measure.unit, up))
}

/// `slowest click: at most 60 s (± 100 ms)`.
pub(super) fn promised(measure: &Measure) -> String {
    let Measure { name, bound, unit, .. } = measure;
    let bound = match (measure.better, bound) {
        (Better::Less, 0) => "none".to_owned(),
        (Better::Less, _) => format!("at most {}", quantity(*bound, *unit, false)),
        (Better::More, _) => format!("at least {}", quantity(*bound, *unit, true)),
    };
    match measure.tolerance {
        0 => format!("{name}: {bound}"),
        some => format!("{name}: {bound} (± {})", difference(some, *unit)),
    }
}

/// `48 s to spare (80 %)`.
pub(super) fn room(measure: &Measure) -> String {
    if measure.is_none_of_none() {
        return "none, as promised".to_owned();
    }
    let Measure { bound, unit, better, tolerance, .. } = measure;
    let room = measure.room();
    let side = match better {
        _ if room >= 0 => "to spare",
        Better::Less => "over",
        Better::More => "short",
    };
    let mut words = format!("{} {side}", difference(room.unsigned_abs(), *unit));
    // A share of a share would be read as the share itself.
    if *bound > 0 && *unit != Unit::PerMille {
        let share = u128::from(room.unsigned_abs()) * 1_000 / u128::from(*bound);
        words.push_str(&format!(" ({} %)", tenths(share)));
    }
    if measure.is_within_tolerance() {
        words.push_str(&format!(", within the tolerance of {}", difference(*tolerance, *unit)));
    }
    words
}

fn quantity(value: u64, unit: Unit, up: bool) -> String {
    match unit {
        Unit::Count => value.to_string(),
        Unit::Micros => time(value.into(), up),
        Unit::PerMille => format!("{} %", tenths(value.into())),
    }
}

fn difference(value: u64, unit: Unit) -> String {
    match unit {
        Unit::PerMille => format!("{} percentage points", tenths(value.into())),
        Unit::Count | Unit::Micros => quantity(value, unit, true),
    }
}

/// Thousandths as percent.
fn tenths(per_mille: u128) -> String {
    match (per_mille / 10, per_mille % 10) {
        (whole, 0) => whole.to_string(),
        (whole, tenth) => format!("{whole}.{tenth}"),
    }
}

fn time(us: u128, up: bool) -> String {
    let in_units = |unit: u128| if up { us.div_ceil(unit) } else { us / unit };
    match us {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{us} µs"),
        1_000..10_000 => format!("{} ms", tenths(in_units(100))),
        10_000..=999_000 => format!("{} ms", in_units(1_000)),
        999_001..120_000_000 => {
            let ms = in_units(1_000);
            let fraction = format!("{:03}", ms % 1_000);
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            format!("{}{point}{fraction} s", ms / 1_000)
        }
        _ => {
            let seconds = in_units(1_000_000);
            match seconds % 60 {
                0 => format!("{} min", seconds / 60),
                rest => format!("{} min {rest} s", seconds / 60),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(us: u64, expected: &str) {
        assert_eq!(humane(Duration::from_micros(us)), expected);
    }

    #[test]
    fn durations_are_said_as_people_say_them() {
        check(0, "0 s");
        check(250, "250 µs");
        check(4_200, "4.2 ms");
        check(9_999, "10 ms");
        check(850_000, "850 ms");
        check(999_000, "999 ms");
        check(999_001, "1 s");
        check(1_500_000, "1.5 s");
        check(60_000_000, "60 s");
        check(60_100_400, "60.101 s");
        check(120_000_000, "2 min");
        check(124_100_000, "2 min 5 s");
    }

    #[test]
    fn what_is_said_never_looks_better_than_what_was_seen() {
        let measure = |better, unit, observed| Measure {
            name: "it".to_owned(),
            observed,
            bound: 1_000_000,
            unit,
            better,
            tolerance: 100,
        };
        let late = measure(Better::Less, Unit::Micros, 1_000_101);
        assert_eq!(observed(&late), "it: 1.001 s");
        assert_eq!(promised(&late), "it: at most 1 s (± 100 µs)");
        let early = measure(Better::More, Unit::Micros, 999_999);
        assert_eq!(observed(&early), "it: 0.999 s");
        assert_eq!(promised(&early), "it: at least 1 s (± 100 µs)");
    }

    #[test]
    fn counts_and_shares_have_their_own_words() {
        let measure = |unit, bound| Measure {
            name: "hits".to_owned(),
            observed: 973,
            bound,
            unit,
            better: Better::More,
            tolerance: 0,
        };
        assert_eq!(observed(&measure(Unit::Count, 9)), "hits: 973");
        assert_eq!(promised(&measure(Unit::PerMille, 900)), "hits: at least 90 %");
        assert_eq!(observed(&measure(Unit::PerMille, 900)), "hits: 97.3 %");
    }
}
