//! Says measures in words: the one place where numbers become text.

use super::{Better, Measure, Unit};
use std::fmt::Display;
use std::time::Duration;

/// A duration as people say it: `250 µs`, `4.2 ms`, `850 ms`, `12.345 s`, `2 min 5 s`. Parts that are
/// not said are rounded up.
#[must_use]
pub fn humane(duration: Duration) -> String {
    time(duration.as_nanos().div_ceil(1_000), true)
}

/// How many, with the words for one and those for any other number: `1 click was`, `2 clicks were`.
#[must_use]
pub fn so_many(count: impl TryInto<u64> + Display + Copy, one: &str, many: &str) -> String {
    let is_one = count.try_into().is_ok_and(|count: u64| count == 1);
    format!("{count} {}", if is_one { one } else { many })
}

/// `slowest click: 12.3 s`.
pub(super) fn observed(measure: &Measure) -> String {
    // What is said lies never further on the good side than what was seen.
    let up = measure.better == Better::Less;
    format!("{}: {}", measure.name, quantity(measure.observed, measure.unit, up))
}

/// `slowest click: at most 60 s (± 100 ms)`; where the run's time is another than the contract's, both:
/// `at most 60 s, run as 6 s`, `at most 90 in 60 s, run as 6 s`.
pub(super) fn promised(measure: &Measure) -> String {
    let Measure { name, bound, unit, .. } = measure;
    let contract = measure.pace.map(|pace| time(u128::from(pace.contract_ms) * 1_000, true));
    let run = measure.pace.map(|pace| time(pace.run_us.into(), measure.better == Better::More));
    let quantity = |up| match (&contract, unit) {
        (Some(contract), Unit::Micros) => contract.clone(),
        (Some(contract), _) => format!("{} in {contract}", quantity(*bound, *unit, up)),
        (None, _) => quantity(*bound, *unit, up),
    };
    let bound = match (measure.better, bound) {
        (Better::Less, 0) => "none".to_owned(),
        (Better::Less, _) => format!("at most {}", quantity(false)),
        (Better::More, _) => format!("at least {}", quantity(true)),
    };
    let bound = match run.filter(|run| Some(run) != contract.as_ref()) {
        Some(run) => format!("{bound}, run as {run}"),
        None => bound,
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
        Unit::PerMille if value == 10 => "1 percentage point".to_owned(),
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
    use crate::measure::Gauge;

    #[track_caller]
    fn check(us: u64, expected: &str) {
        assert_eq!(humane(Duration::from_micros(us)), expected);
    }

    #[test]
    fn one_is_said_as_one_and_none_as_many() {
        for (count, expected) in [(0, "0 clicks were"), (1, "1 click was"), (2, "2 clicks were")] {
            assert_eq!(so_many(count, "click was", "clicks were"), expected);
        }
        assert_eq!(so_many(1_usize, "page", "pages"), so_many(1_u64, "page", "pages"));
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
            pace: None,
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
            pace: None,
        };
        assert_eq!(observed(&measure(Unit::Count, 9)), "hits: 973");
        assert_eq!(promised(&measure(Unit::PerMille, 900)), "hits: at least 90 %");
        assert_eq!(observed(&measure(Unit::PerMille, 900)), "hits: 97.3 %");
    }

    /// Proves that a reader of the contract finds its numbers, and a reader of the evidence the run's.
    #[test]
    fn where_time_is_scaled_the_contracts_and_the_runs_are_said() {
        let check = |gauge: Gauge, expected: &str| {
            assert_eq!(gauge.promised(), format!("it: {expected}"));
        };
        let [six, none] = [6_000, 0].map(Duration::from_millis);
        let within = |bound| Gauge::within("it", bound, none);
        check(within(six).at_scale(10), "at most 60 s, run as 6 s");
        check(within(six).at_scale(1), "at most 6 s");
        // Half a second divided by three has no end; the contract's is whole.
        let third = Duration::from_micros(166_666);
        check(within(third).at_scale(3), "at most 500 ms, run as 166 ms");
        let lasting = Gauge::lasting("it", six, Duration::from_millis(50));
        check(lasting.at_scale(10), "at least 60 s, run as 6 s (± 50 ms)");
        let most = || Gauge::at_most("it", 90);
        check(most().in_any(six, 10), "at most 90 in 60 s, run as 6 s");
        check(most().in_any(six, 1), "at most 90 in 6 s");
    }
}
