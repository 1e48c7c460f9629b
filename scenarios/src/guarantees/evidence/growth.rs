//! Whether delays keep up with bounds that grow: however many there are, and whenever one stops looking.
//!
//! Full jitter has the smallest delays of all families that grow in steps, and of these a share of `q`
//! at the most lies in the lowest `q` of its bound. Decorrelated jitter may fall back: it draws from the
//! base to three times the last delay, so that even after the shortest one a share of `q` at the most
//! lies below 1 + 2 q bases. Whoever bets on low ones at odds that are fair for that share
//! is expected to win nothing, and multiplies what was staked by 1 / α once in 1 / α runs at the most,
//! at whichever delay one looks (Ville's inequality). That matters here: a service with short delays
//! has more of them in a stretch of time, and those that end after it are not seen.

use super::spacing::ALPHA;

const SHARES: [f64; 3] = [0.125, 0.25, 0.5];

/// A delay, in seconds, beside its bound.
#[derive(Clone, Copy, Debug)]
pub struct Delay {
    /// What full jitter's delay would be below.
    pub bound: f64,
    /// What it was; infinite where it had no end in the time that was looked at.
    pub took: f64,
    /// From its start to the end of the time that was looked at.
    pub room: f64,
}

/// More delays than chance allows lie low, up to one of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flat {
    /// The place of the last one, in what was looked at.
    pub at: usize,
    /// So many were low …
    pub low: usize,
    /// … of so many.
    pub of: usize,
    /// The last one in less than this, in seconds.
    pub below: f64,
}

/// The first place at which these delays, in the order of their starts, are too low to be chance, with
/// this base in seconds.
#[must_use]
pub fn flat(delays: &[Delay], base: f64) -> Option<Flat> {
    let looks = SHARES.into_iter().filter_map(|share| too_low(delays, base, share));
    looks.min_by_key(|flat| flat.at)
}

#[allow(clippy::cast_precision_loss)]
fn too_low(delays: &[Delay], base: f64, share: f64) -> Option<Flat> {
    let (mut low, mut of, mut won) = (0, 0, 1.0);
    for (at, delay) in delays.iter().enumerate() {
        let below = (delay.bound * share).min(base * (1.0 + 2.0 * share));
        // What cannot have been seen to be long must not be counted when it is short.
        if below > delay.room {
            continue;
        }
        let is_low = delay.took <= below;
        of += 1;
        low += usize::from(is_low);
        // Half of the stake is on low: what is expected is the stake again.
        won *= if is_low { 0.5 + 0.5 / share } else { 0.5 };
        if won >= SHARES.len() as f64 / ALPHA {
            return Some(Flat { at, low, of, below });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// The delay of a bound, after the last one.
    type Policy = fn(f64, f64, &mut ChaCha8Rng) -> f64;

    /// How many of so many queues look flat in `seconds`; bounds are 0.1 s · 2ⁿ up to 3 s.
    fn found(runs: u64, seconds: f64, draw: Policy) -> usize {
        let run = |seed: &u64| {
            let mut random = ChaCha8Rng::seed_from_u64(*seed);
            let (mut at, mut last, mut delays) = (0.0, 0.1, Vec::new());
            while at < seconds {
                let retry = i32::try_from(delays.len()).unwrap().min(20);
                let bound = (0.1 * 2f64.powi(retry)).min(3.0);
                last = draw(bound, last, &mut random);
                let took = if at + last <= seconds { last } else { f64::INFINITY };
                delays.push(Delay { bound, took, room: seconds - at });
                at += last;
            }
            flat(&delays, 0.1).is_some()
        };
        (0..runs).filter(run).count()
    }

    #[test]
    fn delays_that_keep_up_are_seldom_blamed_and_flat_ones_always() {
        let full: Policy = |bound, _, random| random.random_range(0.0..bound);
        assert!(found(10_000, 15.0, full) <= 3);
        assert!(found(1_000, 300.0, full) <= 1);
        let decorrelated: Policy = |_, last, random| random.random_range(0.1..3.0 * last).min(3.0);
        assert!(found(10_000, 15.0, decorrelated) <= 3);
        assert!(found(1_000, 300.0, decorrelated) <= 1);
        assert_eq!(found(200, 15.0, |bound, _, _| bound), 0);
        assert_eq!(found(200, 15.0, |_, _, random| random.random_range(0.0..0.1)), 200);
        assert_eq!(found(200, 15.0, |_, _, _| 0.1), 200);
        assert_eq!(found(200, 15.0, |_, _, _| 0.003), 200);
    }

    #[test]
    fn what_cannot_be_seen_to_be_long_is_not_counted_when_it_is_short() {
        let short = |room| vec![Delay { bound: 8.0, took: 0.1, room }; 7];
        let flat = |delays: &[Delay]| flat(delays, 8.0);
        assert_eq!(flat(&short(9.0)), Some(Flat { at: 6, low: 7, of: 7, below: 1.0 }));
        assert_eq!(flat(&short(9.0)[..6]), None);
        assert!(flat(&short(1.0)).is_some());
        assert_eq!(flat(&short(0.9)), None);
        let in_between = |took| [vec![Delay { took, ..short(9.0)[0] }], short(9.0)].concat();
        assert_eq!(flat(&in_between(f64::INFINITY)), None);
    }
}
