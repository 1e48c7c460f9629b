//! The head of an answer in bytes, with a `Date` and a `Retry-After` resolved when it is written.

use super::super::message::{UpstreamAnswer, append, push_header};
use crate::clock::{Clock, Moment};
use crate::faults::{DateFlaw, Effect, HUGE, HeadFlaw, RetryAfterSpec};
use crate::history::exchange::{RetryAfter, RetryAfterForm};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second that an `HTTP-date` can name: the end of the year 9999.
const LAST_S: i64 = 253_402_300_799;

/// Bytes of a field that no server needs.
const HUGE_FIELD: usize = 256 * 1024;

/// A `Retry-After` as it stands on the wire. A date names a whole second, rounded up, so that who
/// obeys it is never early; delay-seconds count from the last byte, which is filled in at the end.
pub(super) fn resolved(
    spec: RetryAfterSpec,
    flaw: &Option<DateFlaw>,
    clock: Clock,
) -> Option<RetryAfter> {
    let plain = |value: String, form| Some(RetryAfter { value, form, until: None });
    let dated = |s: u32, written: fn(SystemTime) -> String| {
        let (date, until) = date(clock.now(), Clock::wall(), s);
        let (value, until) = (written(date), Some(until.minus(ahead(flaw))));
        Some(RetryAfter { value, form: RetryAfterForm::Date, until })
    };
    match spec {
        RetryAfterSpec::Seconds { s } => plain(s.to_string(), RetryAfterForm::Seconds),
        RetryAfterSpec::Huge => plain(HUGE.to_owned(), RetryAfterForm::Seconds),
        RetryAfterSpec::Malformed { value } => plain(value, RetryAfterForm::Malformed),
        RetryAfterSpec::Absent => None,
        RetryAfterSpec::Date { s } => dated(s, httpdate::fmt_http_date),
        RetryAfterSpec::Rfc850 { s } => dated(s, rfc850),
        RetryAfterSpec::Asctime { s } => dated(s, asctime),
        RetryAfterSpec::Past { s } => {
            let ago = Duration::from_secs(s.into());
            let value = httpdate::fmt_http_date(shifted(Clock::wall(), -i64::from(s)));
            let until = Some(clock.now().minus(ago));
            Some(RetryAfter { value, form: RetryAfterForm::Date, until })
        }
    }
}

/// How much sooner a date has come for a client that measures it against a fast `Date`.
fn ahead(flaw: &Option<DateFlaw>) -> Duration {
    match flaw {
        Some(DateFlaw::Off { by_s }) => Duration::from_secs(u64::try_from(*by_s).unwrap_or(0)),
        _ => Duration::ZERO,
    }
}

fn date(now: Moment, wall: SystemTime, s: u32) -> (SystemTime, Moment) {
    let exact = wall.duration_since(UNIX_EPOCH).unwrap_or_default() + Duration::from_secs(s.into());
    let whole = exact.as_secs() + u64::from(exact.subsec_nanos() > 0);
    let date = UNIX_EPOCH + Duration::from_secs(whole);
    (date, now.plus(date.duration_since(wall).unwrap_or_default()))
}

/// An `HTTP-date` as RFC 850 wrote it.
fn rfc850(date: SystemTime) -> String {
    let date = utc(date);
    let (day, time) = (date.strftime("%A, %d-%b"), date.strftime("%H:%M:%S"));
    format!("{day}-{:02} {time} GMT", date.year() % 100)
}

/// An `HTTP-date` as C's `asctime` writes it; the day has two places, and no zero.
fn asctime(date: SystemTime) -> String {
    utc(date).strftime("%a %b %e %H:%M:%S %Y").to_string()
}

fn utc(date: SystemTime) -> jiff::Zoned {
    jiff::Timestamp::try_from(date).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC)
}

/// Another second, within what an `HTTP-date` can name.
fn shifted(wall: SystemTime, by_s: i64) -> SystemTime {
    let now = wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let then = i64::try_from(now).unwrap_or(LAST_S).saturating_add(by_s).clamp(0, LAST_S);
    UNIX_EPOCH + Duration::from_secs(u64::try_from(then).unwrap_or_default())
}

/// The value of `Date`.
fn date_value(flaw: &Option<DateFlaw>) -> Option<String> {
    match flaw {
        None => Some(httpdate::fmt_http_date(Clock::wall())),
        Some(DateFlaw::Off { by_s }) => {
            Some(httpdate::fmt_http_date(shifted(Clock::wall(), *by_s)))
        }
        Some(DateFlaw::Missing) => None,
        Some(DateFlaw::Malformed { value }) => Some(value.clone()),
    }
}

/// The whole head, with its empty line.
pub(super) fn head(
    answer: &UpstreamAnswer,
    retry_after: Option<&RetryAfter>,
    date: &Option<DateFlaw>,
    effect: &Effect,
    keep: bool,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(512 + answer.body.len());
    let (status, reason) = (answer.status, &answer.reason);
    append(&mut out, format_args!("HTTP/1.1 {status} {reason}\r\n"));
    out.extend_from_slice(&answer.lines);
    if let Some(date) = date_value(date) {
        push_header(&mut out, "date", date.as_bytes());
    }
    if let Some(after) = retry_after {
        for field in fields(&after.value) {
            push_header(&mut out, "retry-after", field.as_bytes());
        }
    }
    if matches!(effect, Effect::BadChunk { .. }) {
        push_header(&mut out, "transfer-encoding", b"chunked");
    } else if answer.status != 304 && answer.status != 204 && !answer.to_head {
        append(&mut out, format_args!("content-length: {}\r\n", answer.body.len()));
    }
    if let Effect::MalformedHead { how } = effect {
        flaw(&mut out, *how, answer.body.len());
    }
    if !keep || effect.shape().closes {
        push_header(&mut out, "connection", b"close");
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// A list of numbers is sent as one field each, anything else as one field.
fn fields(value: &str) -> Vec<&str> {
    let numbers: Vec<&str> = value.split(", ").collect();
    let all = numbers.iter().all(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()));
    if all { numbers } else { vec![value] }
}

fn flaw(out: &mut Vec<u8>, how: HeadFlaw, length: usize) {
    match how {
        HeadFlaw::StatusLine => {}
        HeadFlaw::TwoLengths => {
            push_header(out, "content-length", (length / 2).to_string().as_bytes());
        }
        HeadFlaw::HugeField => push_header(out, "x-padding", &vec![b'x'; HUGE_FIELD]),
        HeadFlaw::NoColon => out.extend_from_slice(b"this field has no colon\r\n"),
        HeadFlaw::NulByte => push_header(out, "x-note", b"be\0fore"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_rounded_up_and_its_moment_agrees() {
        let check = |wall_ms: u64, s: u32, date_s: u64, until_ms: u64| {
            let wall = UNIX_EPOCH + Duration::from_millis(wall_ms);
            let expected = (UNIX_EPOCH + Duration::from_secs(date_s), Moment::from_ms(until_ms));
            assert_eq!(date(Moment::from_ms(50), wall, s), expected);
        };
        check(10_000, 2, 12, 2_050);
        check(10_001, 2, 13, 50 + 2_999);
        check(10_999, 0, 11, 51);
    }

    /// The example of RFC 9110 section 5.6.7, and the days at which the forms differ.
    #[test]
    fn obsolete_dates_are_as_the_rfc_shows_them_and_read_as_the_same_second() {
        let check = |s: u64, old: &str, c: &str| {
            let date = UNIX_EPOCH + Duration::from_secs(s);
            assert_eq!((rfc850(date).as_str(), asctime(date).as_str()), (old, c));
            for text in [old, c] {
                assert_eq!(httpdate::parse_http_date(text).unwrap(), date, "{text}");
            }
        };
        check(784_111_777, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994");
        check(1_796_083_200, "Tuesday, 01-Dec-26 00:00:00 GMT", "Tue Dec  1 00:00:00 2026");
        check(1_798_761_599, "Thursday, 31-Dec-26 23:59:59 GMT", "Thu Dec 31 23:59:59 2026");
    }

    #[test]
    fn a_shifted_second_stays_within_what_a_date_can_name() {
        let check = |by_s: i64, expected_s: u64| {
            let wall = UNIX_EPOCH + Duration::from_millis(10_999);
            assert_eq!(shifted(wall, by_s), UNIX_EPOCH + Duration::from_secs(expected_s));
        };
        check(0, 10);
        check(-3, 7);
        check(i64::MIN, 0);
        check(i64::MAX, 253_402_300_799);
        assert!(httpdate::fmt_http_date(shifted(UNIX_EPOCH, i64::MAX)).contains("9999"));
    }

    #[test]
    fn only_two_numbers_are_two_fields() {
        assert_eq!(fields("1, 120"), ["1", "120"]);
        for whole in ["120", "-5", "soon, later", "Thu, 32 Jan 2026 25:61:00 GMT", ""] {
            assert_eq!(fields(whole), [whole]);
        }
    }

    #[test]
    fn a_date_measured_against_a_fast_clock_comes_sooner() {
        let spec = RetryAfterSpec::Date { s: 100 };
        let until = |by_s| {
            let clock = Clock::start();
            let flaw = Some(DateFlaw::Off { by_s });
            resolved(spec.clone(), &flaw, clock).unwrap().until.unwrap().as_ms() as u64 / 1_000
        };
        assert!((100..=101).contains(&until(-60)) && (40..=41).contains(&until(60)));
        assert_eq!(until(600), 0);
    }
}
