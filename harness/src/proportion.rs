//! How often something happens, as far as so many trials can tell.

use statrs::distribution::{Beta, ContinuousCDF};

/// Of a hundred intervals so made, five or fewer miss the true share.
const OUTSIDE: f64 = 0.05;

/// The least and the largest share of all trials that `hits` of `trials` speak for: the exact interval of
/// Clopper and Pearson (Biometrika 26, 1934) at 95 %, by quantiles of the beta distribution. Without a
/// trial anything is possible.
///
/// # Panics
///
/// When there are more hits than trials.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "nobody repeats a run 2^53 times")]
pub fn bounds(hits: u64, trials: u64) -> (f64, f64) {
    assert!(hits <= trials, "{hits} hits of {trials} trials");
    let (hits, misses) = (hits as f64, (trials - hits) as f64);
    let quantile =
        |a: f64, b: f64, at: f64| Beta::new(a, b).expect("both are positive").inverse_cdf(at);
    let least = if hits > 0.0 { quantile(hits, misses + 1.0, OUTSIDE / 2.0) } else { 0.0 };
    let most = if misses > 0.0 { quantile(hits + 1.0, misses, 1.0 - OUTSIDE / 2.0) } else { 1.0 };
    (least, most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Binomial, DiscreteCDF};

    /// Proves the definition: at each end the observation is just as unlikely as is allowed.
    #[test]
    fn at_each_end_what_was_seen_is_as_unlikely_as_allowed() {
        for trials in [1, 2, 3, 10, 37, 100] {
            for hits in 0..=trials {
                let (least, most) = bounds(hits, trials);
                let up_to = |share: f64, hits: u64| Binomial::new(share, trials).unwrap().cdf(hits);
                let near = |tail: f64| (tail - OUTSIDE / 2.0).abs() < 1e-6;
                let what = format!("{hits} of {trials}: {least} to {most}");
                assert!(hits == 0 && least == 0.0 || near(1.0 - up_to(least, hits - 1)), "{what}");
                assert!(hits == trials && most == 1.0 || near(up_to(most, hits)), "{what}");
            }
        }
    }

    #[test]
    fn three_of_ten_speak_for_seven_to_sixty_five_in_a_hundred() {
        let (least, most) = bounds(3, 10);
        assert!((0.066..0.067).contains(&least) && (0.652..0.653).contains(&most));
        assert_eq!(bounds(0, 0), (0.0, 1.0));
    }
}
