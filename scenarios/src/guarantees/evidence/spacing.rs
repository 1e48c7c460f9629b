//! The spacing of retries, tested against the smallest and the narrowest of all usual policies.

use super::retries::median;
use super::tails::{binomial_tail, crowding};
use crate::case::Case;
use crate::guarantees::backoff_grows;

/// How often one test may fail a sound policy.
pub const ALPHA: f64 = 1e-4;

const SHARES: [f64; 3] = [0.125, 0.25, 0.5];
/// Retries whose growth is judged; later ones fail decorrelated jitter too often (simulated).
const GROWN: [usize; 2] = [2, 3];
/// Retries whose jitter is judged.
const JITTERED: usize = 4;
/// The narrowest spread that is taken for jitter, as a share of the median delay: ± 9 %.
const JITTER: f64 = 0.18;

/// The delays of many calls before each of their retries, beside the declared policy.
pub struct Spacing {
    /// Upper bound of the first delay, seconds.
    pub base: f64,
    /// Declared growth, but not below 1.5, which is growth, nor above 2.
    pub factor: f64,
    /// Where it ends, seconds.
    pub cap: f64,
    /// Delays below this, in seconds, are none at all.
    pub at_once: f64,
    delays: [Vec<f64>; JITTERED],
}

impl Spacing {
    /// The spacing of these calls: the gaps of each, in seconds.
    #[must_use]
    pub fn of(case: &Case, calls: &[&[f64]]) -> Self {
        let delays = std::array::from_fn(|retry| {
            let mut delays: Vec<f64> =
                calls.iter().filter_map(|gaps| gaps.get(retry).copied()).collect();
            delays.sort_by(f64::total_cmp);
            delays
        });
        Self {
            base: case.times.backoff_base.as_secs_f64(),
            factor: (f64::from(case.declared.backoff_factor_milli) / 1_000.0).clamp(1.5, 2.0),
            cap: case.times.backoff_cap.as_secs_f64(),
            at_once: case.time(&backoff_grows::AT_ONCE).as_secs_f64(),
            delays,
        }
    }

    /// The upper bound of full jitter's delay before retry number `retry`, from 0, in seconds.
    #[must_use]
    pub fn bound(&self, retry: i32) -> f64 {
        (self.base * self.factor.powi(retry)).min(self.cap)
    }

    /// Calls with as many retries as are judged.
    #[must_use]
    pub fn judged(&self) -> usize {
        self.delays[GROWN[1]].len()
    }

    /// Whether so many calls could show delays that never reach half of their bound.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        binomial_tail(self.judged(), 0.5, self.judged()) < grow_alpha()
    }

    /// Every median delay, for people.
    #[must_use]
    pub fn medians(&self) -> String {
        let medians = self.delays.iter().filter_map(|delays| median(delays));
        let shown: Vec<String> = medians.map(|s| format!("{:.0} ms", s * 1e3)).collect();
        shown.join(", ")
    }

    /// How often full jitter has no delay worth the name in three retries running: the first three,
    /// and half as much again for all later ones.
    #[must_use]
    pub fn hot_by_chance(&self) -> f64 {
        let first = i32::from(self.is_first_at_once());
        let below = |retry: i32| (self.at_once / self.bound(retry)).min(1.0);
        let three: f64 = (0..3 - first).map(below).product();
        (three * 1.5).min(1.0)
    }

    fn is_first_at_once(&self) -> bool {
        median(&self.delays[0]).is_some_and(|first| self.is_at_once(first))
    }

    /// A first retry at once, with backoff from the second on, is usual and sound.
    fn is_at_once(&self, delay: f64) -> bool {
        delay < self.base / 20.0
    }

    /// Delays lie in the low part of their bound more often than full jitter's, which are the
    /// smallest of all usual families: the retry and what is wrong.
    #[must_use]
    pub fn flat(&self) -> Option<(usize, String)> {
        let first_at_once = self.is_first_at_once();
        let looks = GROWN.into_iter().flat_map(|retry| SHARES.map(|share| (retry, share)));
        let mut fails = looks.filter_map(|(retry, share)| {
            let delays = &self.delays[retry];
            let grown = i32::try_from(retry).unwrap_or(0) - i32::from(first_at_once);
            let low_below = share * self.bound(grown);
            let low = delays.partition_point(|delay| *delay <= low_below);
            let what = format!(
                "{low} of {} delays before retry {} are below {:.0} ms: they do not grow",
                delays.len(),
                retry + 1,
                low_below * 1e3,
            );
            (binomial_tail(delays.len(), share, low) < grow_alpha()).then_some((retry, what))
        });
        fails.next()
    }

    /// Delays lie closer together than the narrowest usual jitter leaves them.
    #[must_use]
    pub fn lockstep(&self) -> Option<(usize, String)> {
        let mut fails = self.delays.iter().enumerate().filter_map(|(retry, delays)| {
            let middle = median(delays)?;
            if middle > self.cap * 0.9 || self.is_at_once(middle) {
                return None;
            }
            let spread: Vec<f64> = delays.iter().map(|delay| delay / (middle * JITTER)).collect();
            let what = format!(
                "{} delays before retry {} crowd around {:.0} ms: there is no jitter",
                delays.len(),
                retry + 1,
                middle * 1e3,
            );
            (crowding(&spread) * 4.0 < ALPHA).then_some((retry, what))
        });
        fails.next()
    }
}

#[allow(clippy::cast_precision_loss)]
fn grow_alpha() -> f64 {
    ALPHA / (SHARES.len() * GROWN.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::History;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// How many of 200 seeded runs of 20 calls with four retries look flat, and how many lockstep.
    /// `policy` is given the retry's number, the last delay and a generator, and answers in units of
    /// the declared base; every gap has up to 4 ms of overhead, at a base of 100 ms.
    fn fails(policy: fn(i32, f64, &mut ChaCha8Rng) -> f64) -> (usize, usize) {
        let mut case = History::over(&[]).case;
        case.times.backoff_base = std::time::Duration::from_millis(100);
        case.times.backoff_cap = std::time::Duration::from_secs(3);
        let run = |seed: u64| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut call = || -> Vec<f64> {
                let mut last = 1.0;
                let delay = |retry| {
                    last = policy(retry, last, &mut random);
                    last * 0.1 + random.random_range(0.0..0.004)
                };
                (0..4).map(delay).collect()
            };
            let calls: Vec<Vec<f64>> = (0..20).map(|_| call()).collect();
            let calls: Vec<&[f64]> = calls.iter().map(Vec::as_slice).collect();
            let spacing = Spacing::of(&case, &calls);
            (usize::from(spacing.flat().is_some()), usize::from(spacing.lockstep().is_some()))
        };
        (0..200).map(run).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    #[test]
    fn every_usual_policy_passes() {
        assert_eq!(fails(|n, _, r| r.random_range(0.0..2f64.powi(n))), (0, 0), "full jitter");
        assert_eq!(fails(|n, _, r| r.random_range(0.5..1.0) * 2f64.powi(n)), (0, 0), "equal");
        assert_eq!(fails(|_, last, r| r.random_range(1.0..3.0 * last)), (0, 0), "decorrelated");
        assert_eq!(fails(|n, _, r| r.random_range(1.0..1.99) * 2f64.powi(n)), (0, 0), "tower");
        assert_eq!(fails(|n, _, r| r.random_range(0.9..1.1) * 2f64.powi(n)), (0, 0), "± 10 %");
        let at_once = fails(|n, _, r| match n {
            0 => 0.0,
            _ => r.random_range(0.0..2f64.powi(n - 1)),
        });
        assert_eq!(at_once, (0, 0), "first retry at once");
    }

    #[test]
    fn every_broken_policy_is_caught_each_time() {
        assert_eq!(fails(|_, _, _| 1.0), (200, 200), "constant");
        assert_eq!(fails(|_, _, r| r.random_range(0.0..1.0)).0, 200, "constant bound, full jitter");
        assert_eq!(fails(|n, _, _| 2f64.powi(n)), (0, 200), "no jitter");
        assert_eq!(fails(|n, _, _| f64::from(n + 1)).1, 200, "linear");
        let linear = fails(|n, _, r| r.random_range(0.0..f64::from(n + 1))).0;
        assert!(linear > 150, "linear with full jitter: {linear} of 200");
        assert_eq!(fails(|_, _, _| 0.0).0, 200, "at once");
    }
}
