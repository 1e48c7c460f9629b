//! Measures: what a judge observed beside what was allowed, in whole numbers, and the room between.
//!
//! All quantities are integers with a unit, so that the same history gives the same bytes. The
//! *room* is `bound - observed` where less is better and `observed - bound` where more is. The
//! *margin* is the room in thousandths of the bound, rounded down: positive or zero where the bound
//! was kept, negative where it was not, and at -1,000 as far beyond it as it is from zero. A bound of
//! zero has no thousandths: nothing observed against it is the whole margin, 1,000, and each one
//! observed counts as a whole bound, -1,000. The tolerance of the measurement is no part of the
//! margin; an observation within it of the bound says so.

mod gauge;
mod words;

use serde::{Deserialize, Serialize};

pub use gauge::Gauge;
pub use words::{humane, so_many};

/// One observed quantity and its bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// What was measured, the same words in every run: `slowest click`.
    pub name: String,
    /// The observation: the worst, the peak, the count or the share. Beside a violation of time, at
    /// least this much.
    pub observed: u64,
    /// What was allowed or asked for.
    pub bound: u64,
    /// Of `observed`, `bound` and `tolerance`.
    pub unit: Unit,
    /// On which side of the bound it is kept.
    pub better: Better,
    /// How far beyond the bound an observation may be the measurement's own error.
    pub tolerance: u64,
    /// The contract's time behind it: of a time the bound itself, of a count the window in which is
    /// counted; absent where neither is a time of the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<Pace>,
}

/// A time of the contract, and how long it is in the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// In the contract, ms.
    pub contract_ms: u64,
    /// In the run, µs.
    pub run_us: u64,
}

impl Pace {
    /// Of a duration that is the contract's divided by `time_scale`: that one is whole milliseconds.
    fn of(run_us: u64, time_scale: u32) -> Self {
        let contract_us = run_us.saturating_mul(u64::from(time_scale.max(1)));
        Self { contract_ms: contract_us.div_ceil(1_000), run_us }
    }
}

/// What the integers of a measure count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Things; the measure's name says which.
    #[serde(rename = "count")]
    Count,
    /// Microseconds.
    #[serde(rename = "us")]
    Micros,
    /// Thousandths of a whole.
    #[serde(rename = "per-mille")]
    PerMille,
}

/// Which observations keep a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// Those up to it.
    Less,
    /// Those from it on.
    More,
}

/// How much room the tightest of several measures left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Margin {
    /// The measure's name.
    pub measure: String,
    /// Its bound, in words.
    pub promised: String,
    /// Its observation, in words.
    pub observed: String,
    /// Thousandths of the bound, negative beyond it; see the module.
    pub per_mille: i64,
    /// The observation is so close to the bound that it may lie on its other side.
    pub within_tolerance: bool,
    /// The room with its unit, in words.
    pub words: String,
}

impl Measure {
    /// How far the observation was on the good side of the bound, in the measure's unit.
    #[must_use]
    pub fn room(&self) -> i64 {
        let [observed, bound] =
            [self.observed, self.bound].map(|value| i64::try_from(value).unwrap_or(i64::MAX));
        match self.better {
            Better::Less => bound - observed,
            Better::More => observed - bound,
        }
    }

    /// Thousandths of the bound, see the module.
    #[must_use]
    pub fn margin_per_mille(&self) -> i64 {
        if self.is_none_of_none() {
            return 1_000;
        }
        let bound = i128::from(self.bound.max(1));
        let margin = (i128::from(self.room()) * 1_000).div_euclid(bound);
        i64::try_from(margin).unwrap_or(i64::MIN)
    }

    /// Nothing was seen of what must not be at all.
    fn is_none_of_none(&self) -> bool {
        self.better == Better::Less && self.bound == 0 && self.observed == 0
    }

    /// Beyond the bound by more than the tolerance.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.room() < 0 && self.room().unsigned_abs() > self.tolerance
    }

    /// So close to the bound that the measurement's own error decides; never without a tolerance.
    #[must_use]
    pub fn is_within_tolerance(&self) -> bool {
        self.tolerance > 0 && self.room().unsigned_abs() <= self.tolerance
    }
}

impl Margin {
    /// The smallest margin of these measures, a broken bound before all others; none of none.
    #[must_use]
    pub fn of(measures: &[Measure]) -> Option<Self> {
        let rank = |one: &&Measure| (!one.is_broken(), one.margin_per_mille());
        let tightest = measures.iter().min_by_key(rank)?;
        let room = words::room(tightest);
        let says_which = measures.len() > 1 && !tightest.is_none_of_none();
        Some(Self {
            measure: tightest.name.clone(),
            promised: words::promised(tightest),
            observed: words::observed(tightest),
            per_mille: tightest.margin_per_mille(),
            within_tolerance: tightest.is_within_tolerance(),
            words: if says_which { format!("{}: {room}", tightest.name) } else { room },
        })
    }
}

/// What was observed, in words.
#[must_use]
pub fn observed(measure: &Measure) -> String {
    words::observed(measure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn counted(observed: u64, bound: usize, better: Better) -> Measure {
        let gauge = match better {
            Better::Less => Gauge::at_most("calls", bound),
            Better::More => Gauge::at_least("calls", bound),
        };
        gauge.counted(observed, 1).measure().unwrap().clone()
    }

    fn slowest(observed_ms: u64) -> Measure {
        let [bound, tolerance] = [10_000, 150].map(Duration::from_millis);
        let gauge = Gauge::within("slowest read", bound, tolerance);
        gauge.took(Some(Duration::from_millis(observed_ms))).measure().unwrap().clone()
    }

    #[track_caller]
    fn check(measure: &Measure, per_mille: i64, words: &str) {
        let margin = Margin::of(std::slice::from_ref(measure)).unwrap();
        assert_eq!((margin.per_mille, margin.words.as_str()), (per_mille, words));
    }

    #[test]
    fn the_margin_is_positive_where_the_bound_was_kept() {
        use Better::{Less, More};
        check(&counted(45, 90, Less), 500, "45 to spare (50 %)");
        check(&counted(90, 90, Less), 0, "0 to spare (0 %)");
        check(&counted(118, 90, Less), -312, "28 over (31.1 %)");
        check(&counted(91, 90_000, More), -999, "89909 short (99.8 %)");
        check(&counted(6, 3, More), 1_000, "3 to spare (100 %)");
    }

    #[test]
    fn a_bound_of_zero_has_a_margin_too() {
        check(&counted(0, 0, Better::Less), 1_000, "none, as promised");
        check(&counted(3, 0, Better::Less), -3_000, "3 over");
        check(&counted(0, 0, Better::More), 0, "0 to spare");
    }

    #[test]
    fn the_tolerance_stands_beside_the_margin_and_not_in_it() {
        check(&slowest(4_000), 600, "6 s to spare (60 %)");
        check(&slowest(9_900), 10, "100 ms to spare (1 %), within the tolerance of 150 ms");
        check(&slowest(10_150), -15, "150 ms over (1.5 %), within the tolerance of 150 ms");
        check(&slowest(10_151), -16, "151 ms over (1.5 %)");
        assert!(!slowest(10_150).is_broken() && slowest(10_151).is_broken());
    }

    #[test]
    fn the_smallest_margin_of_several_is_named_and_a_broken_bound_comes_first() {
        let of = |measures: &[Measure]| Margin::of(measures).map(|margin| margin.words);
        assert_eq!(of(&[]), None);
        let (none, some) = (counted(0, 0, Better::Less), slowest(4_000));
        assert_eq!(of(&[none.clone(), some]).unwrap(), "slowest read: 6 s to spare (60 %)");
        assert_eq!(of(&[none.clone(), none.clone()]).unwrap(), "none, as promised");
        let near = Measure { tolerance: 9_000_000, ..slowest(15_000) };
        let broken = counted(91, 90, Better::Less);
        let all = [none, near, broken];
        assert_eq!(of(&all).unwrap(), "calls: 1 over (1.1 %)");
        let tightest = Margin::of(&all).unwrap();
        assert_eq!([tightest.promised, tightest.observed], ["calls: at most 90", "calls: 91"]);
    }

    #[test]
    fn a_share_that_is_only_known_between_two_limits_tolerates_their_distance() {
        let hits = |least, most| {
            let gauge = Gauge::share_of_at_least("offload", 900).shared(least, most);
            gauge.measure().unwrap().clone()
        };
        check(&hits(972, 975), 80, "7.2 percentage points to spare");
        let words = "0.1 percentage points short, within the tolerance of 0.3 percentage points";
        check(&hits(899, 902), -2, words);
        assert!(hits(896, 899).is_broken() && !hits(897, 900).is_broken());
    }

    #[test]
    fn a_measure_reads_back_the_same() {
        let text = serde_json::to_string(&slowest(5)).unwrap();
        assert!(text.contains(r#""unit":"us","better":"less""#), "{text}");
        assert_eq!(serde_json::from_str::<Measure>(&text).unwrap(), slowest(5));
    }
}
