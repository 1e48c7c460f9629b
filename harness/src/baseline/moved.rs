//! Which measures of two runs differ by more than both may be inexact.

use reports::report::{Better, Measure, Report, Unit};
use scenarios::measure;
use serde::Serialize;
use std::cmp::Reverse;

/// One measure of one promise in one scenario, in both runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The scenario.
    pub scenario: String,
    /// The promise.
    pub guarantee: String,
    /// As it was.
    pub was: Measure,
    /// As it is.
    pub is: Measure,
    /// How many thousandths more of what is allowed it uses up; negative where it uses less.
    pub worse_per_mille: i64,
}

/// Everything that differs, the worst first. What only one of them saw, or measured against another
/// bound, is not compared.
#[must_use]
pub fn moved(base: &Report, run: &Report) -> Vec<Moved> {
    let mut all = Vec::new();
    for is in &run.cells {
        let same = base
            .cells
            .iter()
            .find(|was| (&was.guarantee, &was.scenario) == (&is.guarantee, &is.scenario));
        let Some(was) = same else { continue };
        for measure in &is.measures {
            let Some(before) = was.measures.iter().find(|one| one.name == measure.name) else {
                continue;
            };
            if let Some(worse_per_mille) = worse(before, measure) {
                all.push(Moved {
                    scenario: is.scenario.clone(),
                    guarantee: is.guarantee.clone(),
                    was: before.clone(),
                    is: measure.clone(),
                    worse_per_mille,
                });
            }
        }
    }
    all.sort_by_key(|one| Reverse(one.worse_per_mille));
    all
}

/// How much more of what is allowed a measure uses up, in thousandths; nothing where the difference may be
/// an error of measurement, is not worth a thousandth, or where they are not of the same thing.
fn worse(was: &Measure, is: &Measure) -> Option<i64> {
    if (was.unit, was.better, was.bound) != (is.unit, is.better, is.bound) {
        return None;
    }
    if was.observed.abs_diff(is.observed) <= was.tolerance.max(is.tolerance) {
        return None;
    }
    let more = used(is) - used(was);
    (more != 0).then_some(more)
}

/// How much of what is allowed is used up, in thousandths: of a bound that may be reached the part that
/// was, of one that must be reached the part that would have done. A count where none is allowed counts as
/// so many wholes.
fn used(measure: &Measure) -> i64 {
    let (part, whole) = match measure.better {
        Better::Less => (measure.observed, measure.bound),
        Better::More => (measure.bound, measure.observed),
    };
    let per_mille = i128::from(part) * 1_000 / i128::from(whole.max(1));
    i64::try_from(per_mille).unwrap_or(i64::MAX)
}

/// The observation in words, such as `slowest click: 3.2 s`.
pub(super) fn observed(measure: &Measure) -> String {
    let Measure { name, observed, bound, unit, better, tolerance } = measure.clone();
    let unit = match unit {
        Unit::Count => measure::Unit::Count,
        Unit::Micros => measure::Unit::Micros,
        Unit::PerMille => measure::Unit::PerMille,
    };
    let better = match better {
        Better::Less => measure::Better::Less,
        Better::More => measure::Better::More,
    };
    let pace = None;
    measure::observed(&measure::Measure { name, observed, bound, unit, better, tolerance, pace })
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::report::Cell;

    fn measure(observed: u64, better: Better) -> Measure {
        Measure {
            name: "slowest click".to_owned(),
            observed,
            bound: 6_000_000,
            unit: Unit::Micros,
            better,
            tolerance: 100_000,
        }
    }

    fn check(was: u64, is: u64, better: Better, expected: Option<i64>) {
        assert_eq!(worse(&measure(was, better), &measure(is, better)), expected, "{was} to {is}");
    }

    #[test]
    fn a_difference_within_the_tolerance_is_none() {
        check(1_000_000, 1_100_000, Better::Less, None);
        check(1_100_000, 1_000_000, Better::Less, None);
        check(1_000_000, 4_000_000, Better::Less, Some(500));
        check(4_000_000, 1_000_000, Better::Less, Some(-500));
        check(1_000_000, 4_000_000, Better::More, Some(-4_500));
        check(u64::MAX, 0, Better::More, Some(6_000_000_000));
        // Of what is far beyond what must be reached a little more or less is nothing.
        check(60_000_000_000, 50_000_000_000, Better::More, None);
        check(0, u64::MAX, Better::Less, Some(3_074_457_345_618_258));
        let wider = Measure { tolerance: 200_000, ..measure(1_150_000, Better::Less) };
        assert_eq!(worse(&measure(1_000_000, Better::Less), &wider), None);
        let other = Measure { bound: 1, ..measure(4_000_000, Better::Less) };
        assert_eq!(worse(&measure(1, Better::Less), &other), None);
    }

    #[test]
    fn only_what_both_saw_is_compared_and_the_worst_comes_first() {
        let cell = |guarantee: &str, observed: u64| Cell {
            guarantee: guarantee.to_owned(),
            scenario: "brownout".to_owned(),
            measures: vec![measure(observed, Better::Less)],
            ..Cell::default()
        };
        let report = |cells: Vec<Cell>| Report { cells, ..Report::default() };
        let base = report(vec![cell("a", 1_000_000), cell("b", 1_000_000), cell("c", 1)]);
        let run = report(vec![cell("a", 2_000_000), cell("b", 5_000_000), cell("d", 1)]);
        let ids: Vec<_> = moved(&base, &run).into_iter().map(|one| one.guarantee).collect();
        assert_eq!(ids, ["b", "a"]);
        assert_eq!(observed(&measure(3_200_000, Better::Less)), "slowest click: 3.2 s");
    }
}
