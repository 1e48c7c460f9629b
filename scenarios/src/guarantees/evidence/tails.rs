//! Exact probabilities, so that a judge knows how often chance alone would look like a violation.

/// P[Bin(trials, chance) ≥ at_least], summed from its largest term's logarithm so that nothing
/// underflows.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn binomial_tail(trials: usize, chance: f64, at_least: usize) -> f64 {
    if at_least == 0 {
        return 1.0;
    }
    if at_least > trials || chance <= 0.0 {
        return 0.0;
    }
    if chance >= 1.0 {
        return 1.0;
    }
    let (yes, no) = (chance.ln(), (-chance).ln_1p());
    let mut log_ways = 0.0;
    let mut sum = 0.0;
    for hits in 1..=trials {
        log_ways += ((trials - hits + 1) as f64 / hits as f64).ln();
        if hits >= at_least {
            sum += (log_ways + hits as f64 * yes + (trials - hits) as f64 * no).exp();
        }
    }
    sum.min(1.0)
}

/// How surprising it is that points spread evenly over 1 lie this close together: the least
/// probability bound over "all but j of the points lie within a span", for j up to a quarter of
/// them, corrected for having looked at several j. `sorted` is in units of the assumed spread.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn crowding(sorted: &[f64]) -> f64 {
    let points = sorted.len();
    let looks = points / 4 + 1;
    if points < 2 {
        return 1.0;
    }
    let span = |outliers: usize| {
        let kept = points - outliers;
        sorted.windows(kept).map(|run| run[kept - 1] - run[0]).fold(1.0, f64::min)
    };
    // A crowd has a first point, and all others of it lie within the span after that one.
    let bound = |span: f64, outliers: usize| {
        points as f64 * binomial_tail(points - 1, span, points - outliers - 1)
    };
    // The more points are left out, the shorter is the span of the others. So no bound of a stretch is
    // below that of its shortest span with its fewest outliers, and what cannot be the least is passed over.
    let (mut least, mut stretches) = (1.0, vec![(0, looks - 1)]);
    while let Some((from, until)) = stretches.pop() {
        if from == until {
            least = f64::min(least, bound(span(from), from));
        } else if bound(span(until), from) < least {
            let middle = usize::midpoint(from, until);
            stretches.extend([(middle + 1, until), (from, middle)]);
        }
    }
    least * looks as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_textbook_s() {
        let check = |trials, chance, at_least, expected: f64| {
            let found = binomial_tail(trials, chance, at_least);
            assert!((found - expected).abs() <= 1e-9 + expected * 1e-9, "{found} {expected}");
        };
        check(10, 0.5, 0, 1.0);
        check(10, 0.5, 10, 1.0 / 1024.0);
        check(10, 0.5, 9, 11.0 / 1024.0);
        check(3, 0.25, 2, 10.0 / 64.0);
        check(3, 0.25, 4, 0.0);
        check(3, 1.0, 3, 1.0);
        check(3, 1.0, 4, 0.0);
        assert!(binomial_tail(5_000, 0.5, 4_000) < 1e-300);
    }

    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn evenly_spread_points_are_no_crowd_and_a_clump_with_an_outlier_is() {
        let even: Vec<f64> = (0..20).map(|i| f64::from(i) / 20.0).collect();
        assert!(crowding(&even) > 0.5);
        let mut clump: Vec<f64> = (0..19).map(|i| 0.3 + f64::from(i) / 1_000.0).collect();
        clump.push(0.9);
        assert!(crowding(&clump) < 1e-12);
        assert!(crowding(&[0.1]) >= 1.0 && crowding(&[]) >= 1.0);
        // As when every number of outliers is looked at.
        let mut seed = 1_u64;
        for points in 2..60_u32 {
            let mut random = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                f64::from(u32::try_from(seed >> 40).unwrap()) / f64::from(1 << 24)
            };
            let spread = 0.05 + random();
            let mut sorted: Vec<f64> = (0..points).map(|_| random() * spread).collect();
            sorted.sort_by(f64::total_cmp);
            let (points, looks) = (sorted.len(), sorted.len() / 4 + 1);
            let least = (0..looks).map(|out| {
                let runs = sorted.windows(points - out).map(|run| run[points - out - 1] - run[0]);
                let span = runs.fold(1.0, f64::min);
                points as f64 * binomial_tail(points - 1, span, points - out - 1)
            });
            let least = least.fold(1.0, f64::min) * looks as f64;
            assert!((crowding(&sorted) - least).abs() <= least * 1e-9, "{sorted:?}");
        }
        // One of the two comes first, and the other within a tenth after it.
        assert!((crowding(&[0.3, 0.4]) - 0.2).abs() < 1e-9);
    }
}
