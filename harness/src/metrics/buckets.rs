//! Histograms as they are pushed, and what they have in common with those of a scrape: how many
//! observations there were up to a bound.

use super::point::Unit;
use scenarios::observed::Histogram;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Bounds for observations that come one by one: the preferred numbers of ISO 3 (R10), among which are the
/// bounds that every Prometheus client has by default. Each is the number that its digits say.
static GRID: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let digits = ["1", "1.25", "1.6", "2", "2.5", "3.15", "4", "5", "6.3", "8"];
    let decade = |power: i32| digits.map(|digits| format!("{digits}e{power}"));
    (-4..=5).flat_map(decade).filter_map(|text| text.parse().ok()).collect()
});

/// No bound of a histogram with exponential buckets is finer: eight for each doubling.
const FINEST: i32 = 3;
/// The powers of two between which such bounds are told, of seconds: below a millisecond, and above an hour.
const POWERS: (i32, i32) = (-10, 12);

/// The buckets of one series.
#[derive(Clone, Debug, PartialEq)]
pub enum Buckets {
    /// Observations that came one by one, by the grid's bounds; the last holds all beyond.
    Grid(Vec<f64>),
    /// Bounds that the sender has chosen, and one bucket more.
    Explicit {
        /// Upper bounds, inclusive, in order.
        bounds: Vec<f64>,
        /// Observations in each.
        counts: Vec<f64>,
    },
    /// Buckets whose bounds are powers of 2^(2^-scale).
    Exponential {
        /// The scale.
        scale: i32,
        /// Observations from one power (its key, exclusive) to the next (inclusive).
        counts: BTreeMap<i32, f64>,
        /// Observations below all of these.
        below: f64,
        /// Up to where those may lie.
        threshold: f64,
    },
}

/// Upper bounds with the observations up to them, and all observations.
type UpTo = (Vec<(f64, f64)>, f64);

impl Buckets {
    /// Nothing yet, of observations that come one by one.
    #[must_use]
    pub fn grid() -> Self {
        Self::Grid(vec![0.0; GRID.len() + 1])
    }

    /// One more observation, so many times; only where they come one by one.
    pub fn observe(&mut self, value: f64, times: f64) {
        if let Self::Grid(counts) = self {
            counts[GRID.partition_point(|bound| *bound < value)] += times;
        }
    }

    /// Adds another's observations.
    ///
    /// # Errors
    ///
    /// When the bounds are others.
    pub fn add(&mut self, other: &Self) -> Result<(), String> {
        match (self, other) {
            (Self::Grid(counts), Self::Grid(more)) => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
            }
            (
                Self::Explicit { bounds, counts },
                Self::Explicit { bounds: others, counts: more },
            ) if bounds == others => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
            }
            (
                Self::Exponential { scale, counts, below, threshold },
                Self::Exponential {
                    scale: other,
                    counts: more,
                    below: few,
                    threshold: its_threshold,
                },
            ) => {
                let least = (*scale).min(*other);
                *counts = coarser(counts, *scale, least);
                *scale = least;
                for (power, count) in coarser(more, *other, least) {
                    *counts.entry(power).or_default() += count;
                }
                *below += few;
                *threshold = threshold.max(*its_threshold);
            }
            _ => return Err("the bounds of its buckets change".to_owned()),
        }
        Ok(())
    }

    /// All observations.
    #[must_use]
    pub fn count(&self) -> f64 {
        match self {
            Self::Grid(counts) | Self::Explicit { counts, .. } => counts.iter().sum(),
            Self::Exponential { counts, below, .. } => below + counts.values().sum::<f64>(),
        }
    }

    /// Told in seconds, with bounds no finer than this scale where they are powers.
    fn up_to(&self, unit: Unit, scale: i32) -> UpTo {
        let cumulative = |bounds: &[f64], counts: &[f64]| {
            let sums = counts.iter().scan(0.0, |sum, count| {
                *sum += count;
                Some(*sum)
            });
            let bounds = bounds.iter().map(|bound| unit.seconds(*bound));
            (bounds.zip(sums).collect(), counts.iter().sum())
        };
        match self {
            Self::Grid(counts) => cumulative(&GRID, counts),
            Self::Explicit { bounds, counts } => cumulative(bounds, counts),
            Self::Exponential { scale: own, counts, below, threshold } => {
                let powers = coarser(counts, *own, scale);
                let each = |power: i32| power.checked_shl(scale.unsigned_abs()).unwrap_or(0);
                let span = match scale {
                    0.. => each(POWERS.0)..=each(POWERS.1),
                    _ => (POWERS.0 >> -scale)..=(POWERS.1 >> -scale),
                };
                // Of the bounds told in seconds, those of other units are the same powers.
                let away = (1.0 / unit.seconds(1.0)).log2().floor();
                #[allow(clippy::cast_possible_truncation)] // a unit is no more than 2^30 of another
                let away = match scale {
                    0.. => each(away as i32),
                    _ => (away as i32) >> -scale,
                };
                let mut sum = *below;
                let mut left = powers.iter().peekable();
                let mut bounds = Vec::new();
                for power in span.map(|power| power + away) {
                    while let Some((_, count)) = left.next_if(|(from, _)| **from < power) {
                        sum += count;
                    }
                    let bound = bound(power, scale);
                    if bound >= *threshold {
                        bounds.push((unit.seconds(bound), sum));
                    }
                }
                (bounds, self.count())
            }
        }
    }
}

/// The upper bound of the bucket below this power.
fn bound(power: i32, scale: i32) -> f64 {
    (f64::from(power) * f64::from(-scale).exp2()).exp2()
}

/// The same with wider buckets, of which each holds whole ones.
fn coarser(counts: &BTreeMap<i32, f64>, from: i32, to: i32) -> BTreeMap<i32, f64> {
    let by = from.saturating_sub(to).clamp(0, 31);
    let mut wide = BTreeMap::new();
    for (power, count) in counts {
        *wide.entry(power >> by).or_default() += count;
    }
    wide
}

/// The histogram over several series, in seconds: with the bounds that all of them have.
///
/// # Errors
///
/// When they have none in common.
pub fn together(all: &[(Unit, &Buckets)]) -> Result<Histogram, String> {
    let scale = |buckets: &&Buckets| match buckets {
        Buckets::Exponential { scale, .. } => Some(*scale),
        _ => None,
    };
    let least = all.iter().filter_map(|one| scale(&one.1)).fold(FINEST, i32::min);
    let mut told = all.iter().map(|(unit, buckets)| buckets.up_to(*unit, least));
    let Some((mut bounds, mut count)) = told.next() else { return Ok(Histogram::default()) };
    for (others, more) in told {
        count += more;
        bounds.retain_mut(|(bound, sum)| {
            let same = others.iter().find(|other| other.0.total_cmp(bound).is_eq());
            *sum += same.map_or(0.0, |same| same.1);
            same.is_some()
        });
    }
    if bounds.is_empty() {
        return Err("its series have no bound of a bucket in common".to_owned());
    }
    bounds.retain(|(bound, _)| bound.is_finite());
    Ok(Histogram { buckets: bounds, count })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(values: &[f64]) -> Buckets {
        let mut grid = Buckets::grid();
        values.iter().for_each(|value| grid.observe(*value, 1.0));
        grid
    }

    fn at(histogram: &Histogram, bound: f64) -> Option<f64> {
        let found = histogram.buckets.iter().find(|one| one.0.total_cmp(&bound).is_eq());
        found.map(|one| one.1)
    }

    #[test]
    fn single_observations_have_the_bounds_of_prometheus_clients_in_either_unit() {
        let usual = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        let seconds = together(&[(Unit::Seconds, &grid(&[0.25, 0.26, 4.0, 1e9]))]).unwrap();
        let ms = together(&[(Unit::Milliseconds, &grid(&[250.0, 260.0, 4_000.0, 1e9]))]).unwrap();
        for histogram in [seconds, ms] {
            let told = usual.map(|bound| at(&histogram, bound));
            let expected = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0];
            assert_eq!(told, expected.map(Some));
            assert_eq!(histogram.count, 4.0);
        }
    }

    #[test]
    fn of_several_series_the_bounds_are_told_that_all_have() {
        let explicit = |bounds: &[f64], counts: &[f64]| Buckets::Explicit {
            bounds: bounds.to_vec(),
            counts: counts.to_vec(),
        };
        let (one, other) =
            (explicit(&[0.1, 0.5], &[1.0, 2.0, 3.0]), explicit(&[500.0], &[10.0, 20.0]));
        let all = together(&[(Unit::Seconds, &one), (Unit::Milliseconds, &other)]).unwrap();
        assert_eq!((all.buckets, all.count), (vec![(0.5, 13.0)], 36.0));
        let none = explicit(&[0.3], &[1.0, 1.0]);
        assert!(together(&[(Unit::Seconds, &one), (Unit::Seconds, &none)]).is_err());
        assert_eq!(together(&[]), Ok(Histogram::default()));
    }

    fn exponential(scale: i32, values: &[f64]) -> Buckets {
        let mut counts = BTreeMap::new();
        for value in values {
            let power = (value.log2() * f64::from(scale).exp2()).ceil() - 1.0;
            #[allow(clippy::cast_possible_truncation)]
            let power = power as i32;
            *counts.entry(power).or_default() += 1.0;
        }
        Buckets::Exponential { scale, counts, below: 0.0, threshold: 0.0 }
    }

    #[test]
    fn powers_become_bounds_with_what_lies_up_to_them_at_every_scale() {
        let values = [0.004, 0.1, 0.3, 0.5, 0.51, 1.0, 1.1, 7.0, 8.0, 9.0, 70.0];
        for scale in [-2, -1, 0, 1, 3, 4, 8] {
            for (unit, factor) in [(Unit::Seconds, 1.0), (Unit::Milliseconds, 1e3)] {
                let own = exponential(scale, &values.map(|value| value * factor));
                let told = together(&[(unit, &own)]).unwrap();
                assert_eq!(told.count, 11.0);
                assert!(told.buckets.len() > 4, "{scale}: {told:?}");
                assert!(told.buckets[0].0 <= 0.002 || scale < 0, "{scale}: {told:?}");
                for (bound, up_to) in &told.buckets {
                    // A value on a bound itself may lie on either side for its last digit.
                    let (low, high) = (bound * (1.0 - 1e-9), bound * (1.0 + 1e-9));
                    let within = |at: f64| values.iter().filter(|value| **value <= at).count();
                    #[allow(clippy::cast_precision_loss)]
                    let (least, most) = (within(low) as f64, within(high) as f64);
                    assert!((least..=most).contains(up_to), "{scale} {bound}: {up_to} of {least}");
                }
            }
        }
    }

    #[test]
    fn what_comes_with_wider_buckets_widens_all() {
        let mut all = exponential(5, &[0.3, 0.7]);
        all.add(&exponential(1, &[0.3, 20.0])).unwrap();
        let Buckets::Exponential { scale, counts, .. } = &all else { panic!("{all:?}") };
        assert_eq!((*scale, counts.values().sum::<f64>()), (1, 4.0));
        assert_eq!(at(&together(&[(Unit::Seconds, &all)]).unwrap(), 0.5), Some(2.0));
        assert!(all.add(&Buckets::grid()).is_err());
    }
}
