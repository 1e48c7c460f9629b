//! The spacing of retries, tested against the smallest and the narrowest of all usual policies.

use super::retries::median;
use super::tails::{binomial_tail, crowding};
use crate::case::Case;
use crate::guarantees::backoff_grows;
use crate::measure::humane;
use std::time::Duration;

/// How often one test may fail a sound policy. No probability that it is compared with is just as much.
pub const ALPHA: f64 = 1e-4;

const SHARES: [f64; 3] = [0.125, 0.25, 0.5];
/// Retries whose growth is judged: the last that there are.
const GROWN: usize = 2;
/// The narrowest spread that is taken for jitter, as a share of the median delay: ± 9 %.
const JITTER: f64 = 0.18;

/// A backoff as it is declared.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// Upper bound of the first delay, seconds.
    pub base: f64,
    /// Declared growth, but not below 1.5, which is growth, nor above 2.
    pub factor: f64,
    /// Where it ends, seconds.
    pub cap: f64,
}

impl Backoff {
    /// That of page reads.
    #[must_use]
    pub fn of_pages(case: &Case) -> Self {
        Self::new(
            case.times.backoff_base,
            case.declared.backoff_factor_milli,
            case.times.backoff_cap,
        )
    }

    /// That of deliveries.
    #[must_use]
    pub fn of_clicks(case: &Case) -> Self {
        let declared = &case.declared;
        let factor = declared.click_backoff_factor_milli.unwrap_or(declared.backoff_factor_milli);
        Self::new(case.times.click_backoff_base, factor, case.times.click_backoff_cap)
    }

    fn new(base: Duration, factor_milli: u32, cap: Duration) -> Self {
        let factor = (f64::from(factor_milli) / 1_000.0).clamp(1.5, 2.0);
        Self { base: base.as_secs_f64(), factor, cap: cap.as_secs_f64() }
    }

    /// The upper bound of full jitter's delay before retry number `retry`, from 0, in seconds.
    #[must_use]
    pub fn bound(&self, retry: i32) -> f64 {
        (self.base * self.factor.powi(retry)).min(self.cap)
    }

    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        let [base, cap] = [self.base, self.cap].map(|s| humane(Duration::from_secs_f64(s)));
        format!("delays from {base} on that grow by {} up to {cap}, with jitter", self.factor)
    }
}

/// The delays of many calls before each of their retries, beside the declared policy.
pub struct Spacing {
    /// As declared.
    pub backoff: Backoff,
    /// Delays below this, in seconds, are none at all.
    pub at_once: f64,
    /// By the number of the retry, of the retries that every call can show.
    delays: Vec<Vec<f64>>,
}

impl Spacing {
    /// The spacing of these calls, each of which can show so many retries: the gaps of each, in
    /// seconds.
    #[must_use]
    pub fn of(case: &Case, backoff: Backoff, retries: u32, calls: &[&[f64]]) -> Self {
        let of_retry = |retry: usize| {
            let mut delays: Vec<f64> =
                calls.iter().filter_map(|gaps| gaps.get(retry).copied()).collect();
            delays.sort_by(f64::total_cmp);
            delays
        };
        let delays = (0..retries as usize).map(of_retry).collect();
        let at_once = case.time(&backoff_grows::AT_ONCE).as_secs_f64();
        Self { backoff, at_once, delays }
    }

    /// Calls with all the retries that are judged.
    #[must_use]
    pub fn judged(&self) -> usize {
        self.delays.last().map_or(0, Vec::len)
    }

    /// The retries, from 0, that are judged for growth: not the first, from which there is nothing to
    /// grow.
    fn grown(&self) -> std::ops::Range<usize> {
        self.delays.len().saturating_sub(GROWN).max(1)..self.delays.len()
    }

    /// Whether so many calls could show delays that never grow: before the last retry they lie in the
    /// lower part of what it has grown to.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        let last = i32::try_from(self.delays.len()).unwrap_or(0) - 1;
        let grown = self.backoff.bound(last) / self.backoff.base;
        let share = SHARES.into_iter().find(|share| share * grown >= 1.0).unwrap_or(0.5);
        // No number of delays has exactly this chance.
        binomial_tail(self.judged(), share, self.judged()) < self.grow_alpha()
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
        let below = |retry: i32| (self.at_once / self.backoff.bound(retry)).min(1.0);
        let three: f64 = (0..3 - first).map(below).product();
        (three * 1.5).min(1.0)
    }

    #[allow(clippy::cast_precision_loss)]
    fn grow_alpha(&self) -> f64 {
        ALPHA / (SHARES.len() * self.grown().len().max(1)) as f64
    }

    fn is_first_at_once(&self) -> bool {
        self.delays
            .first()
            .and_then(|delays| median(delays))
            .is_some_and(|first| self.is_at_once(first))
    }

    /// A first retry at once, with backoff from the second on, is usual and sound.
    fn is_at_once(&self, delay: f64) -> bool {
        delay < self.backoff.base / 20.0
    }

    /// Delays lie in the low part of their bound more often than full jitter's, which are the
    /// smallest of all usual families: the retry and what is wrong.
    #[must_use]
    pub fn flat(&self) -> Option<(usize, String)> {
        let first_at_once = self.is_first_at_once();
        let looks = self.grown().flat_map(|retry| SHARES.map(|share| (retry, share)));
        let mut fails = looks.filter_map(|(retry, share)| {
            let delays = &self.delays[retry];
            let grown = i32::try_from(retry).unwrap_or(0) - i32::from(first_at_once);
            let low_below = share * self.backoff.bound(grown);
            let low = delays.partition_point(|delay| *delay <= low_below);
            let what = format!(
                "{low} of {} delays before retry {} are below {:.0} ms: they do not grow",
                delays.len(),
                retry + 1,
                low_below * 1e3,
            );
            // As above.
            (binomial_tail(delays.len(), share, low) < self.grow_alpha()).then_some((retry, what))
        });
        fails.next()
    }

    /// Delays lie closer together than the narrowest usual jitter leaves them, before every retry: a
    /// random time that is added and does not grow is less and less of a delay that does.
    #[must_use]
    pub fn lockstep(&self) -> Option<(usize, String)> {
        let told = |(retry, delays): &(usize, &Vec<f64>)| {
            let middle = median(delays)?;
            let told = middle <= self.backoff.cap * 0.9 && !self.is_at_once(middle);
            told.then_some((*retry, middle))
        };
        let crowds = |(retry, middle): (usize, f64)| {
            let delays = &self.delays[retry];
            let spread: Vec<f64> = delays.iter().map(|delay| delay / (middle * JITTER)).collect();
            let what = format!(
                "{} delays before retry {} crowd around {:.0} ms: there is no jitter",
                delays.len(),
                retry + 1,
                middle * 1e3,
            );
            // As above.
            (crowding(&spread) < ALPHA).then_some((retry, what))
        };
        let crowded: Option<Vec<_>> =
            self.delays.iter().enumerate().filter_map(|all| told(&all)).map(crowds).collect();
        crowded?.into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::History;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// The delay before retry n, from 0, after the last one.
    type Policy = fn(i32, f64, &mut ChaCha8Rng) -> f64;

    /// How many of so many seeded runs look flat, and how many lockstep, with so many retries in each
    /// call. `policy` is given the retry's number, the last delay and a generator, and answers in units
    /// of the declared base; every gap has up to 4 ms of overhead, at a base of 100 ms.
    fn fails_of(runs: u64, retries: u32, policy: Policy) -> (usize, usize) {
        let mut case = History::over(&[]).case;
        case.declared.max_attempts = retries + 1;
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
                (0..retries.cast_signed()).map(delay).collect()
            };
            let calls: Vec<Vec<f64>> = (0..case.declared.retried_calls()).map(|_| call()).collect();
            let calls: Vec<&[f64]> = calls.iter().map(Vec::as_slice).collect();
            let spacing = Spacing::of(&case, Backoff::of_pages(&case), retries, &calls);
            (usize::from(spacing.flat().is_some()), usize::from(spacing.lockstep().is_some()))
        };
        (0..runs).map(run).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    fn fails(policy: Policy) -> (usize, usize) {
        fails_of(200, 4, policy)
    }

    /// Delays in milliseconds before each retry, at a base of 100 ms.
    fn spaced(delays: &[&[u32]]) -> Spacing {
        let seconds = |of: &&[u32]| of.iter().map(|ms| f64::from(*ms) / 1e3).collect();
        let backoff = Backoff { base: 0.1, factor: 2.0, cap: 3.0 };
        Spacing { backoff, at_once: 0.01, delays: delays.iter().map(seconds).collect() }
    }

    #[test]
    fn the_more_retries_the_fewer_calls_are_enough() {
        // Delays that never grow lie below 1/2, 1/2, 1/4 and 1/8 of what the last one has grown to.
        for (retries, least) in [(1, 15), (2, 15), (3, 8), (4, 6)] {
            let is_enough = |calls| spaced(&vec![&vec![100; calls][..]; retries]).is_enough();
            assert!(is_enough(least) && !is_enough(least - 1), "{retries} retries");
        }
    }

    #[test]
    fn medians_are_told_in_milliseconds() {
        assert_eq!(spaced(&[&[90, 100, 130], &[], &[400]]).medians(), "100 ms, 400 ms");
    }

    #[test]
    fn three_delays_of_full_jitter_are_none_by_chance_in_one_of_thousands() {
        let check = |first_ms, expected: f64| {
            let found = spaced(&[&[first_ms], &[200], &[400]]).hot_by_chance();
            assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
        };
        // 1/10, 1/20 and 1/40, and half as much again.
        check(100, 1.875e-4);
        check(5, 1.875e-4);
        check(4, 7.5e-3); // the first retry is meant to be at once
        let mut short = spaced(&[&[100]]);
        short.at_once = 9.0;
        assert!((short.hot_by_chance() - 1.0).abs() < 1e-9, "never more often than always");
    }

    #[test]
    fn delays_that_all_have_reached_the_cap_are_no_lockstep() {
        let found = |ms: u32| spaced(&[&[ms; 20]]).lockstep().is_some();
        assert!(found(2_700) && !found(2_701));
    }

    /// The usual families of jitter.
    const USUAL: [(&str, Policy); 7] = [
        ("full jitter", |n, _, r| r.random_range(0.0..2f64.powi(n))),
        ("equal", |n, _, r| r.random_range(0.5..1.0) * 2f64.powi(n)),
        ("decorrelated", |_, last, r| r.random_range(1.0..3.0 * last)),
        ("tower", |n, _, r| r.random_range(1.0..1.99) * 2f64.powi(n)),
        ("± 10 %", |n, _, r| r.random_range(0.9..1.1) * 2f64.powi(n)),
        // Google Cloud's scheme, and tenacity's: a random time is added that does not grow.
        ("additive", |n, _, r| 2f64.powi(n) + r.random_range(0.0..1.0)),
        ("first retry at once", |n, _, r| match n {
            0 => 0.0,
            _ => r.random_range(0.0..2f64.powi(n - 1)),
        }),
    ];

    #[test]
    fn every_usual_policy_passes_with_however_many_retries() {
        for (name, policy) in USUAL {
            for retries in 1..=4 {
                // Each test errs once in ten thousand runs.
                let (flat, lockstep) = fails_of(3_000, retries, policy);
                assert!(flat.max(lockstep) <= 2, "{name}, {retries} retries: {flat}, {lockstep}");
            }
        }
    }

    #[test]
    fn fewer_retries_show_what_is_broken_as_well() {
        for retries in 1..=4 {
            let fails = |policy| fails_of(200, retries, policy);
            assert_eq!(fails(|_, _, _| 1.0).1, 200, "constant, {retries} retries");
            assert_eq!(fails(|n, _, _| 2f64.powi(n)).1, 200, "no jitter, {retries} retries");
            // From a single retry nothing can be told of growth.
            let flat = if retries > 1 { 200 } else { 0 };
            let found = fails(|_, _, r| r.random_range(0.0..1.0)).0;
            assert_eq!(found, flat, "constant bound, full jitter, {retries} retries");
        }
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
