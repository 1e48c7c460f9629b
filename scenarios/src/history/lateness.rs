//! How late arrivals were sent, as a whole histogram: percentiles are taken from it afterwards.

use base64::prelude::{BASE64_STANDARD, Engine};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is later than two days counts as two days: the longest scenario is one, and patience ends.
const LATEST_US: u64 = 2 * 86_400_000_000;
/// One part in a thousand.
const DIGITS: u8 = 3;

/// sent − intended of the arrivals, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Lateness {
    histogram: Histogram<u64>,
    /// The histogram knows its maximum to three digits only.
    max_us: u64,
}

/// As it stands in a history.
#[derive(Serialize, Deserialize)]
struct Written {
    /// HdrHistogram's V2 encoding with DEFLATE, in base64, as in the lines of its interval logs.
    histogram: String,
    max_us: u64,
}

impl Default for Lateness {
    fn default() -> Self {
        // Bounds from the start: a histogram that grows by itself does so in `record` only.
        let histogram = Histogram::new_with_bounds(1, LATEST_US, DIGITS);
        Self { histogram: histogram.expect("the bounds are lawful"), max_us: 0 }
    }
}

impl Lateness {
    /// Takes in one arrival.
    pub fn record(&mut self, late: Duration) {
        let late_us = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        self.histogram.saturating_record(late_us);
        self.max_us = self.max_us.max(late_us);
    }

    /// How many arrivals were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The lateness that this share of the arrivals did not exceed, to three digits, µs.
    #[must_use]
    pub fn quantile_us(&self, share: f64) -> u64 {
        self.histogram.value_at_quantile(share).min(self.max_us)
    }

    /// How many arrivals were later than this, to three digits.
    #[must_use]
    pub fn later_than(&self, bound: Duration) -> u64 {
        let bound_us = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
        self.count() - self.histogram.count_between(0, bound_us)
    }

    /// The latest arrival's, µs.
    #[must_use]
    pub const fn max_us(&self) -> u64 {
        self.max_us
    }
}

impl From<Lateness> for Written {
    fn from(lateness: Lateness) -> Self {
        let mut bytes = Vec::new();
        let written = V2DeflateSerializer::new().serialize(&lateness.histogram, &mut bytes);
        written.expect("memory can be written to");
        Self { histogram: BASE64_STANDARD.encode(bytes), max_us: lateness.max_us }
    }
}

impl TryFrom<Written> for Lateness {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let unreadable =
            |why: &dyn std::fmt::Display| format!("the histogram is unreadable: {why}");
        let bytes =
            BASE64_STANDARD.decode(&written.histogram).map_err(|error| unreadable(&error))?;
        let histogram = Deserializer::new().deserialize(&mut bytes.as_slice());
        let histogram = histogram.map_err(|error| unreadable(&error))?;
        Ok(Self { histogram, max_us: written.max_us })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of these after a history, ms: the median, the 99th percentile and the maximum.
    fn check(late_ms: &[u64], expected_ms: [u64; 3]) {
        let mut lateness = Lateness::default();
        late_ms.iter().for_each(|ms| lateness.record(Duration::from_millis(*ms)));
        let read: Lateness =
            serde_json::from_str(&serde_json::to_string(&lateness).unwrap()).unwrap();
        assert_eq!(read, lateness);
        assert_eq!(read.count(), late_ms.len() as u64);
        let [p50, p99, max] = expected_ms.map(|ms| ms * 1_000);
        for (share, expected) in [(0.5, p50), (0.99, p99)] {
            let told = read.quantile_us(share);
            assert!(told.abs_diff(expected) * 1_000 <= expected, "{told} µs, not {expected} µs");
        }
        assert_eq!(read.max_us(), max);
    }

    #[test]
    fn seconds_of_lateness_are_told_as_seconds() {
        check(&[2_500], [2_500; 3]);
        check(&[0, 1, 2_500, 2_500, 2_500], [2_500; 3]);
        check(&[1, 1, 1, 60_001], [1, 60_001, 60_001]);
        check(&[], [0; 3]);
    }

    #[test]
    fn more_than_can_be_told_apart_is_still_the_maximum() {
        let mut lateness = Lateness::default();
        lateness.record(Duration::MAX);
        assert_eq!((lateness.count(), lateness.max_us()), (1, u64::MAX));
        assert!(lateness.quantile_us(0.5) >= LATEST_US);
    }

    #[test]
    fn a_broken_histogram_is_refused() {
        for text in ["HISTF!", "", "SElTVEY="] {
            let json = serde_json::json!({ "histogram": text, "max_us": 1 });
            assert!(serde_json::from_value::<Lateness>(json).is_err(), "{text}");
        }
    }
}
