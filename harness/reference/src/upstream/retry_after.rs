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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&str], expected_s: Option<u64>) {
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
        check(&["0"], Some(0));
        check(&[" 120 "], Some(120));
        check(&["99999999999999999999"], Some(u32::MAX.into()));
        check(&["Sun, 06 Nov 1994 08:49:37 GMT"], Some(3));
        check(&["Sunday, 06-Nov-94 08:49:37 GMT"], Some(3));
        check(&["Sun Nov  6 08:49:37 1994"], Some(3));
    }

    #[test]
    fn anything_else_is_as_if_absent() {
        check(&[], None);
        for text in ["", "-5", "+5", "1.5", "soon", "5, 7", "Sun, 06 Nov 1994 08:49:30 GMT"] {
            check(&[text], None);
        }
        check(&["1", "2"], None);
    }
}
