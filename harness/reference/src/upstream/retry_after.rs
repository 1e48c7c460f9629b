//! Reads `Retry-After`: delay-seconds or HTTP-date (RFC 9110 §10.2.3), nothing else.

use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// Which `Retry-After` is obeyed.
#[derive(Clone, Copy)]
pub struct RetryAfterPolicy {
    /// On which status.
    pub honours: fn(u16) -> bool,
    /// How a value is read, given the wall clock.
    pub parse: fn(&str, SystemTime) -> Option<Duration>,
}

impl Default for RetryAfterPolicy {
    fn default() -> Self {
        Self { honours: |status| matches!(status, 429 | 503), parse: seconds_or_date }
    }
}

impl RetryAfterPolicy {
    /// The delay that the header names; `None` where it is absent, malformed or sent twice.
    pub fn delay(&self, headers: &HeaderMap, wall: SystemTime) -> Option<Duration> {
        let mut values = headers.get_all(RETRY_AFTER).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => (self.parse)(value.to_str().ok()?.trim(), wall),
            _ => None,
        }
    }
}

/// Either form.
pub fn seconds_or_date(text: &str, wall: SystemTime) -> Option<Duration> {
    seconds(text).or_else(|| date(text, wall))
}

/// Delay-seconds: digits only, so neither `-5` nor `1.5`.
pub fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than fit are a very long time, not an error.
    digits.then(|| Duration::from_secs(text.parse::<u32>().unwrap_or(u32::MAX).into()))
}

fn date(text: &str, wall: SystemTime) -> Option<Duration> {
    httpdate::parse_http_date(text).ok()?.duration_since(wall).ok()
}

#[cfg(any(test, fuzzing))]
pub mod fuzz;
#[cfg(test)]
#[path = "../../../../mock-server/tests/mutations/mod.rs"]
mod mutations;

#[cfg(test)]
mod tests {
    use super::fuzz::check;
    use super::mutations::{corpus, inputs};
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn delays(values: &[&str], expected_s: Option<u64>) {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 3);
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(RETRY_AFTER, value.parse().unwrap());
        }
        let delay = RetryAfterPolicy::default().delay(&headers, wall);
        assert_eq!(delay, expected_s.map(Duration::from_secs), "{values:?}");
    }

    #[test]
    fn both_forms_are_read() {
        delays(&["0"], Some(0));
        delays(&[" 120 "], Some(120));
        delays(&["99999999999999999999"], Some(u32::MAX.into()));
        delays(&["Sun, 06 Nov 1994 08:49:37 GMT"], Some(3));
        delays(&["Sunday, 06-Nov-94 08:49:37 GMT"], Some(3));
        delays(&["Sun Nov  6 08:49:37 1994"], Some(3));
    }

    proptest! {
        /// What is read is digits, or a date that another library reads too, and as the same moment.
        #[test]
        fn any_text_is_seconds_a_date_or_nothing(
            text in inputs(corpus("retry-after"), &["GMT", "+1", "-", " ", ":60", "1e9", "é"]),
        ) {
            check(&text);
        }

        /// Every moment that a date can name is read back from all three forms.
        #[test]
        fn every_date_is_read_back(at in 0..253_402_200_000_u64) {
            let wall = SystemTime::UNIX_EPOCH;
            let date = jiff::Timestamp::from_second(i64::try_from(at).unwrap()).unwrap();
            let fixed = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            prop_assert_eq!(&fixed, &httpdate::fmt_http_date(wall + Duration::from_secs(at)));
            let asctime = date.strftime("%a %b %e %H:%M:%S %Y").to_string();
            for form in [&fixed, &asctime] {
                prop_assert_eq!(date_of(form), Some(at), "{}", form);
            }
            // Two digits of a year name one of a hundred: RFC 9110 leaves the last fifty years to the past.
            if (0..2_524_608_000).contains(&at) {
                let old = date.strftime("%A, %d-%b-%y %H:%M:%S GMT").to_string();
                prop_assert_eq!(date_of(&old), Some(at), "{}", old);
            }
        }
    }

    fn date_of(text: &str) -> Option<u64> {
        seconds_or_date(text, SystemTime::UNIX_EPOCH).map(|since| since.as_secs())
    }

    #[test]
    fn each_of_the_corpus_is_read() {
        corpus("retry-after").iter().for_each(|text| check(text));
    }

    #[test]
    fn anything_else_is_as_if_absent() {
        delays(&[], None);
        for text in ["", "-5", "+5", "1.5", "soon", "5, 7", "Sun, 06 Nov 1994 08:49:30 GMT"] {
            delays(&[text], None);
        }
        delays(&["1", "2"], None);
    }
}
