//! An injected status: 429 or 5xx, with or without `Retry-After` in any form.

use super::choice::at_least_one;
use super::registry::header_text;
use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The injected answer; the request has no effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// One of these, by hash.
    #[schemars(length(max = 100), inner(range(min = 200, max = 599)))]
    pub codes: Vec<u16>,
    /// `Retry-After`, one of these by hash; empty for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub retry_after: Vec<RetryAfterSpec>,
}

/// A `Retry-After` to send. Real seconds: what stands on the wire does not scale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "form", deny_unknown_fields)]
pub enum RetryAfterSpec {
    /// `delay-seconds`
    Seconds {
        /// The delay.
        #[schemars(range(min = 0, max = 31_536_000))]
        s: u32,
    },
    /// `HTTP-date`, resolved when the answer is written and rounded up.
    Date {
        /// The delay before rounding.
        #[schemars(range(min = 0, max = 31_536_000))]
        s: u32,
    },
    /// `HTTP-date` as RFC 850 wrote it, with two digits of the year: no sender may write it any more,
    /// and every recipient must read it (RFC 9110 section 5.6.7).
    Rfc850 {
        /// The delay before rounding.
        #[schemars(range(min = 0, max = 31_536_000))]
        s: u32,
    },
    /// `HTTP-date` as C's `asctime` writes it, without a zone: obsolete like [`Self::Rfc850`].
    Asctime {
        /// The delay before rounding.
        #[schemars(range(min = 0, max = 31_536_000))]
        s: u32,
    },
    /// `HTTP-date` in the past.
    Past {
        /// How long ago.
        #[schemars(range(min = 0, max = 31_536_000))]
        s: u32,
    },
    /// `delay-seconds` as RFC 9110 section 10.2.3 allows them, but beyond 64 bits.
    Huge,
    /// Neither seconds nor a date; a list of two numbers is sent as two fields.
    Malformed {
        /// The value as it is sent; without one, a well-known mistake by hash.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        #[schemars(length(max = 256))]
        value: String,
    },
    /// None, so that a mixture can have some without.
    Absent,
}

/// A whole number beyond 64 bits.
pub(crate) const HUGE: &str = "99999999999999999999";

/// What services were seen to send in place of seconds: negative, fractional, in words, with a
/// unit, in other notations, twice, and an impossible date.
const MALFORMED: [&str; 8] =
    ["-5", "1.5", "soon", "30s", "0x10", "1e3", "1, 120", "Thu, 32 Jan 2026 25:61:00 GMT"];

impl Decide for Status {
    const INFO: FaultInfo = FaultInfo {
        kind: "status",
        place: Place::Respond,
        cautions: &[Caution::HindersClicks],
        summary: "The answer is an error, with or without Retry-After; nothing is done.",
        example_toml: r#"
kind = "status"
codes = [429, 503]
retry_after = [{ form = "seconds", s = 2 }, { form = "date", s = 2 }, { form = "malformed" }]
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        let status = *roll.choose(&self.codes).unwrap_or(&500);
        let retry_after = match roll.choose(&self.retry_after) {
            None | Some(RetryAfterSpec::Absent) => None,
            Some(RetryAfterSpec::Malformed { value }) if value.is_empty() => {
                let value = roll.choose(&MALFORMED).copied().unwrap_or_default().to_owned();
                Some(RetryAfterSpec::Malformed { value })
            }
            Some(other) => Some(other.clone()),
        };
        Effect::Answer { status, retry_after }
    }

    /// Only what says 5xx: some clients take a 429 or a 404 for an answer, and some wait.
    fn harm(&self) -> Harm {
        Harm::certain_if(self.codes.iter().all(|code| *code >= 500))
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        found.extend(at_least_one(&self.codes, "codes", "status codes"));
        for code in self.codes.iter().filter(|code| !(200..600).contains(*code)) {
            let what = format!("{code} is not a final HTTP status");
            found.push(Mistake::new("codes", what, "choose 200 to 599"));
        }
        for spec in &self.retry_after {
            let RetryAfterSpec::Malformed { value } = spec else { continue };
            found.extend(header_text("retry_after", value));
            let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            if digits || httpdate::parse_http_date(value).is_ok() {
                let what = format!("{value:?} is well formed");
                let fix = "use the form seconds, huge, date, rfc850, asctime or past";
                found.push(Mistake::new("retry_after", what, fix));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, decided};
    use super::*;

    #[test]
    fn one_code_is_always_that_code_and_none_is_500() {
        let answer = |status| Effect::Answer { status, retry_after: None };
        check(&Status { codes: vec![429], retry_after: vec![] }, &answer(429));
        check(&Status { codes: vec![], retry_after: vec![] }, &answer(500));
        let absent = vec![RetryAfterSpec::Absent];
        check(&Status { codes: vec![429], retry_after: absent }, &answer(429));
    }

    #[test]
    fn every_code_and_every_form_comes_up() {
        let forms = vec![
            RetryAfterSpec::Seconds { s: 1 },
            RetryAfterSpec::Date { s: 1 },
            RetryAfterSpec::Rfc850 { s: 1 },
            RetryAfterSpec::Asctime { s: 1 },
            RetryAfterSpec::Past { s: 1 },
            RetryAfterSpec::Huge,
            RetryAfterSpec::Malformed { value: "soon".into() },
        ];
        let fault = Status { codes: vec![429, 503], retry_after: forms.clone() };
        let met: Vec<_> = (0..200).map(|nth| decided(&fault, nth)).collect();
        for status in [429, 503] {
            for form in &forms {
                assert!(met.contains(&Effect::Answer { status, retry_after: Some(form.clone()) }));
            }
        }
    }

    #[test]
    fn a_malformed_value_that_is_not_set_is_one_of_the_well_known_and_each_comes_up() {
        let unset = RetryAfterSpec::Malformed { value: String::new() };
        let fault = Status { codes: vec![429], retry_after: vec![unset] };
        let met: Vec<_> = (0..200).map(|nth| decided(&fault, nth)).collect();
        for value in MALFORMED {
            let retry_after = Some(RetryAfterSpec::Malformed { value: value.into() });
            assert!(met.contains(&Effect::Answer { status: 429, retry_after }), "{value}");
        }
    }

    #[test]
    fn a_malformed_value_can_neither_end_the_line_nor_be_well_formed() {
        let wrong = |value: &str| {
            let value = value.to_owned();
            let retry_after = vec![RetryAfterSpec::Malformed { value }];
            Status { codes: vec![429], retry_after }.mistakes().len()
        };
        assert_eq!(MALFORMED.map(wrong), [0; 8]);
        assert_eq!(["1\r\nX: y", "\u{e9}", " 1 ", "a\tb"].map(wrong), [1; 4]);
        let dates = ["Thursday, 01-Jan-26 00:00:00 GMT", "Thu Jan  1 00:00:00 2026"];
        assert_eq!(["12", "Thu, 01 Jan 2026 00:00:00 GMT", dates[0], dates[1]].map(wrong), [1; 4]);
    }
}
