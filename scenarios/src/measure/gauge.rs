//! Gauges: what is allowed, and then what was observed, if anything was.

use super::{Better, Measure, Pace, Unit, words};
use std::time::Duration;

/// A measure in the making: what is allowed, and then what was observed, if anything was.
#[derive(Clone, Debug)]
#[must_use]
pub struct Gauge {
    measure: Measure,
    is_seen: bool,
}

impl Gauge {
    const fn new(name: String, bound: u64, unit: Unit, better: Better) -> Self {
        let measure = Measure { name, observed: 0, bound, unit, better, tolerance: 0, pace: None };
        Self { measure, is_seen: false }
    }

    /// Something that must not be at all: `lost clicks`.
    pub fn none_of(name: &str) -> Self {
        Self::at_most(name, 0)
    }

    /// A count that may reach `bound`.
    pub fn at_most(name: &str, bound: usize) -> Self {
        Self::new(name.to_owned(), bound as u64, Unit::Count, Better::Less)
    }

    /// A count that must reach `bound`.
    pub fn at_least(name: &str, bound: usize) -> Self {
        Self::new(name.to_owned(), bound as u64, Unit::Count, Better::More)
    }

    /// A time that may reach `bound`, or `tolerance` more by the measurement's own error.
    pub fn within(name: &str, bound: Duration, tolerance: Duration) -> Self {
        let mut gauge = Self::new(name.to_owned(), micros(bound), Unit::Micros, Better::Less);
        gauge.measure.tolerance = micros(tolerance);
        gauge
    }

    /// A time that must reach `bound`, or `tolerance` less by the measurement's own error.
    pub fn lasting(name: &str, bound: Duration, tolerance: Duration) -> Self {
        let mut gauge = Self::new(name.to_owned(), micros(bound), Unit::Micros, Better::More);
        gauge.measure.tolerance = micros(tolerance);
        gauge
    }

    /// A share that must reach `bound` thousandths.
    pub fn share_of_at_least(name: &str, bound: u64) -> Self {
        Self::new(name.to_owned(), bound, Unit::PerMille, Better::More)
    }

    /// A share that may reach `bound` thousandths.
    pub fn share_of_at_most(name: &str, bound: u64) -> Self {
        Self::new(name.to_owned(), bound, Unit::PerMille, Better::Less)
    }

    /// Its bound is a time of the contract, divided by the time scale.
    pub fn at_scale(mut self, time_scale: u32) -> Self {
        self.measure.pace = Some(Pace::of(self.measure.bound, time_scale));
        self
    }

    /// What is counted is counted in any window of this length, which is the contract's divided by the
    /// time scale.
    pub fn in_any(mut self, window: Duration, time_scale: u32) -> Self {
        self.measure.pace = Some(Pace::of(micros(window), time_scale));
        self
    }

    /// So many were counted among `of` that could have been. Where there were none of either, nothing
    /// was seen.
    pub const fn counted(self, observed: u64, of: usize) -> Self {
        if observed > 0 || of > 0 { self.saw(observed) } else { self }
    }

    /// It took so long; nothing was seen without a time. Parts of a microsecond count as a whole one,
    /// so that what was too late by less does not look in time.
    pub fn took(self, observed: Option<Duration>) -> Self {
        let Some(observed) = observed else { return self };
        self.saw(u64::try_from(observed.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX))
    }

    /// The share was between `least` and `most` thousandths: their distance is the tolerance.
    pub const fn shared(mut self, least: u64, most: u64) -> Self {
        self.measure.tolerance = most.saturating_sub(least);
        self.saw(least)
    }

    const fn saw(mut self, observed: u64) -> Self {
        self.measure.observed = observed;
        self.is_seen = true;
        self
    }

    /// The measure, where something was seen.
    #[must_use]
    pub fn measure(&self) -> Option<&Measure> {
        self.is_seen.then_some(&self.measure)
    }

    /// Of each name the one with the least room, or one without an observation, in the order of their
    /// first appearance.
    #[must_use]
    pub fn tightest(gauges: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut kept: Vec<Self> = Vec::new();
        let room = |gauge: &Self| gauge.measure().map_or(i64::MAX, Measure::margin_per_mille);
        for gauge in gauges {
            match kept.iter_mut().find(|one| one.measure.name == gauge.measure.name) {
                None => kept.push(gauge),
                Some(one) if !one.is_seen || room(&gauge) < room(one) => *one = gauge,
                Some(_) => {}
            }
        }
        kept
    }

    /// What is promised, in words, whether anything was seen or not.
    #[must_use]
    pub fn promised(&self) -> String {
        words::promised(&self.measure)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_seen_is_absent_and_not_zero() {
        assert!(Gauge::none_of("lost clicks").counted(0, 0).measure().is_none());
        assert!(Gauge::none_of("lost clicks").counted(0, 1).measure().is_some());
        assert!(Gauge::none_of("lost clicks").counted(1, 0).measure().is_some());
        let never = Gauge::within("slowest click", Duration::ZERO, Duration::ZERO).took(None);
        assert!(never.measure().is_none());
    }

    #[test]
    fn a_part_of_a_microsecond_too_late_is_too_late() {
        let gauge = Gauge::within("slowest click", Duration::from_micros(5), Duration::ZERO);
        assert!(gauge.took(Some(Duration::from_nanos(5_001))).measure().unwrap().is_broken());
    }

    #[test]
    fn of_several_with_one_name_the_tightest_is_kept() {
        let calls = |observed| Gauge::at_most("calls", 90).counted(observed, 0);
        let gauges =
            [calls(0), calls(40), Gauge::none_of("losses"), calls(88), calls(60), calls(0)];
        let kept = Gauge::tightest(gauges);
        let seen: Vec<_> = kept.iter().map(|one| one.measure().map(|one| one.observed)).collect();
        assert_eq!(seen, [Some(88), None]);
    }
}
