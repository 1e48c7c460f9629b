//! What holds of any value of `Retry-After`. Called by the crate's tests and by a target of `cargo fuzz`.

use super::{RetryAfterPolicy, seconds, seconds_or_date};
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// The longest delay that the header can name: to the last moment of the year 9999, and a day.
const MOST: Duration = Duration::from_secs(253_402_300_800 + 86_400);

/// Reads a value: what is read is digits, or a date that another library reads too, and as the same
/// moment; the header says what its value does.
///
/// # Panics
///
/// When that does not hold.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let read = seconds_or_date(text, SystemTime::UNIX_EPOCH);
    assert_eq!(seconds(text).is_some(), digits);
    assert!(read.is_none_or(|delay| delay <= MOST), "{read:?}");
    let dated = read.filter(|_| !digits);
    let other = jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp());
    if let Some((read, other)) = dated.zip(other) {
        assert_eq!(i64::try_from(read.as_secs()).unwrap(), other.as_second());
    }
    let delay = |wall| {
        let value = HeaderValue::from_bytes(bytes).ok()?;
        RetryAfterPolicy::default().delay(&HeaderMap::from_iter([(RETRY_AFTER, value)]), wall)
    };
    let from_header = delay(SystemTime::UNIX_EPOCH);
    assert!(from_header.is_none() || from_header == read, "{from_header:?}, not {read:?}");
    // A date comes closer, a number of seconds does not.
    let later = Duration::from_secs(1_000_000_000);
    let expected =
        if digits { from_header } else { from_header.and_then(|delay| delay.checked_sub(later)) };
    assert_eq!(delay(SystemTime::UNIX_EPOCH + later), expected);
}
