//! What a comparison says to a person: what is new first, then what is known and what is better.

use super::Comparison;
use super::moved::{self, Moved};
use reports::report::{Change, ChangeKind as Kind, counted};
use std::fmt::Write;

/// Of what does not decide, so many lines are shown.
const MOST_OF_A_KIND: usize = 20;
/// Of measures, so many are shown in each direction.
const MOST_MEASURES: usize = 10;

/// The lines of a comparison, under the name of what was approved.
#[must_use]
pub fn comparison(comparison: &Comparison, base: &str) -> String {
    let counts = counted(&comparison.changes);
    let summary = if counts.is_empty() { "nothing is new".to_owned() } else { counts };
    let verdict = comparison.verdict;
    let mut text = format!("{} since {base}: {summary}\n", verdict.symbol());
    for kind in Kind::ALL {
        let of_kind: Vec<&Change> =
            comparison.changes.iter().filter(|one| one.kind == kind).collect();
        let most = if kind.is_worse() { of_kind.len() } else { MOST_OF_A_KIND };
        of_kind.iter().take(most).for_each(|change| line(change, &mut text));
        rest(of_kind.len(), most, &mut text);
    }
    text.trim_end().to_owned()
}

fn line(change: &Change, text: &mut String) {
    let Change { kind, rerun, .. } = change;
    writeln!(text, "{} {}", kind.symbol(), change.told()).expect("memory takes it");
    if *kind == Kind::Broken && !rerun.is_empty() {
        writeln!(text, "  rerun: {rerun}").expect("memory takes it");
    }
}

fn rest(all: usize, shown: usize, text: &mut String) {
    if all > shown {
        writeln!(text, "  and {} more", all - shown).expect("memory takes it");
    }
}

/// The lines about measures of two runs that differ by more than they may be inexact.
#[must_use]
pub fn measures(moved: &[Moved]) -> String {
    let (worse, better): (Vec<_>, Vec<_>) = moved.iter().partition(|one| one.worse_per_mille >= 0);
    let mut text = String::new();
    section("more is used up of what is allowed", &worse, &mut text);
    let better: Vec<_> = better.into_iter().rev().collect();
    section("less is used up of it", &better, &mut text);
    text.trim_end().to_owned()
}

fn section(title: &str, moved: &[&Moved], text: &mut String) {
    if moved.is_empty() {
        return;
    }
    writeln!(text, "{title}, by more than the tolerance of its measurement:")
        .expect("memory takes it");
    for one in moved.iter().take(MOST_MEASURES) {
        let (was, is) = (moved::observed(&one.was), moved::observed(&one.is));
        let was = was.strip_prefix(&format!("{}: ", one.was.name)).unwrap_or(&was);
        // Where nothing is allowed there is no part of it.
        let part = match one.is.bound {
            0 => String::new(),
            _ => format!(" ({} % of what is allowed)", one.worse_per_mille.unsigned_abs() / 10),
        };
        let Moved { guarantee, scenario, .. } = one;
        writeln!(text, "  {guarantee} in {scenario}: {is}, before {was}{part}")
            .expect("memory takes it");
    }
    rest(moved.len(), MOST_MEASURES, text);
}

#[cfg(test)]
mod tests {
    use super::super::changes::compare;
    use super::super::tests::{HELD, approved};
    use super::*;
    use reports::report::Standing::{Inconclusive, Violated};
    use reports::report::{Better, Cell, CounterExample, Measure, Report, Unit};

    #[test]
    fn what_is_new_is_named_first_with_what_was_seen_of_it() {
        let base = [
            approved("calibration", &[("breaker-opens", HELD), ("click-lag", Violated)]),
            approved("gone", &[("click-lag", HELD)]),
        ];
        let verdicts =
            [("breaker-opens", Violated), ("click-lag", HELD), ("base-url", Inconclusive)];
        let found = [approved("calibration", &verdicts), approved("new", &[("click-lag", HELD)])];
        let seen =
            CounterExample { observed: "5 attempts after failure 5".into(), ..Default::default() };
        let cell = Cell {
            guarantee: "breaker-opens".into(),
            scenario: "calibration".into(),
            counter_examples: vec![seen],
            total_violations: 3,
            rerun: "windthrow run calibration --seed 7".into(),
            ..Cell::default()
        };
        let report = Report { cells: vec![cell], ..Report::default() };
        let compared = compare(&base, &found, &report, true).unwrap();
        insta::assert_snapshot!(comparison(&compared, "windthrow-baseline"), @r"
        ✗ since windthrow-baseline: 1 newly violated, 1 not judged any more, 1 not run, 1 mended, 1 new scenario
        ✗ newly violated: breaker-opens in calibration (held before, violated now): 5 attempts after failure 5 (the first of 3)
          rerun: windthrow run calibration --seed 7
        ? not judged any more: base-url in calibration
        ? not run: gone: it was not carried out; if it is gone for good, remove its file
        ✓ mended: click-lag in calibration (violated before, held now)
        ~ not approved yet: new: the baseline knows nothing of it
        ");
        let nothing = compare(&base, &base, &Report::default(), true).unwrap();
        let said = comparison(&nothing, "runs/a");
        assert_eq!(said.lines().next(), Some("✓ since runs/a: 1 violated as approved"));
    }

    #[test]
    fn measures_are_told_in_both_directions_and_cut_short() {
        let one = |worse_per_mille: i64| {
            let measure = |observed| Measure {
                name: "slowest click".into(),
                observed,
                bound: 6_000_000,
                unit: Unit::Micros,
                better: Better::Less,
                tolerance: 0,
            };
            Moved {
                scenario: "brownout".into(),
                guarantee: "click-lag".into(),
                was: measure(1_000_000),
                is: measure(2_500_000),
                worse_per_mille,
            }
        };
        insta::assert_snapshot!(measures(&[one(250), one(-120)]), @r"
        more is used up of what is allowed, by more than the tolerance of its measurement:
          click-lag in brownout: slowest click: 2.5 s, before 1 s (25 % of what is allowed)
        less is used up of it, by more than the tolerance of its measurement:
          click-lag in brownout: slowest click: 2.5 s, before 1 s (12 % of what is allowed)
        ");
        let many: Vec<Moved> = (0..14).map(one).collect();
        assert!(measures(&many).ends_with("and 4 more"));
        assert_eq!(measures(&[]), "");
    }
}
