//! How many visitors a second arrive at each instant of a stream.

use crate::plan::Shape;

impl Shape {
    /// Arrivals a second, `at_ms` after the stream's start; the stream lasts `length_ms`.
    ///
    /// After a spike has held, its excess over the baseline falls as `e^(-t / decay_ms)`.
    #[must_use]
    pub fn rate_at(&self, at_ms: f64, length_ms: u64) -> f64 {
        match *self {
            Self::Steady { rate } => f64::from(rate),
            Self::Ramp { from_rate, to_rate } => {
                let part = (at_ms / real(length_ms.max(1))).clamp(0.0, 1.0);
                f64::from(from_rate) + (f64::from(to_rate) - f64::from(from_rate)) * part
            }
            Self::Spike { baseline, factor, at_ms: start, rise_ms, hold_ms, decay_ms } => {
                let excess = f64::from(baseline) * (f64::from(factor.max(1)) - 1.0);
                let (rise, hold) = (real(rise_ms), real(hold_ms));
                let since = at_ms - real(start);
                let share = if since < 0.0 {
                    0.0
                } else if since < rise {
                    since / rise
                } else if since < rise + hold {
                    1.0
                } else {
                    (-(since - rise - hold) / real(decay_ms.max(1))).exp()
                };
                f64::from(baseline) + excess * share
            }
        }
    }

    /// The most arrivals a second that the shape ever asks for.
    #[must_use]
    pub fn peak_rate(&self) -> u64 {
        match *self {
            Self::Steady { rate } => u64::from(rate),
            Self::Ramp { from_rate, to_rate } => u64::from(from_rate.max(to_rate)),
            Self::Spike { baseline, factor, .. } => u64::from(baseline) * u64::from(factor.max(1)),
        }
    }
}

/// Plan times are far below 2^53 ms.
#[allow(clippy::cast_precision_loss)]
const fn real(ms: u64) -> f64 {
    ms as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shape: &Shape, at_ms: f64, expected: f64) {
        let rate = shape.rate_at(at_ms, 10_000);
        assert!((rate - expected).abs() < 0.01, "{shape:?} at {at_ms} ms: {rate}, not {expected}");
        assert!(rate <= real(shape.peak_rate()));
    }

    #[test]
    fn each_shape_has_the_rates_that_it_names() {
        check(&Shape::Steady { rate: 60 }, 3_000.0, 60.0);
        let ramp = Shape::Ramp { from_rate: 10, to_rate: 110 };
        check(&ramp, 0.0, 10.0);
        check(&ramp, 5_000.0, 60.0);
        check(&ramp, 10_000.0, 110.0);
        let spike = Shape::Spike {
            baseline: 20,
            factor: 50,
            at_ms: 2_000,
            rise_ms: 1_000,
            hold_ms: 3_000,
            decay_ms: 500,
        };
        check(&spike, 1_999.0, 20.0);
        check(&spike, 2_500.0, 510.0);
        check(&spike, 3_000.0, 1_000.0);
        check(&spike, 5_999.0, 1_000.0);
        check(&spike, 6_500.0, 20.0 + 980.0 / std::f64::consts::E);
        check(&spike, 20_000.0, 20.0);
    }
}
