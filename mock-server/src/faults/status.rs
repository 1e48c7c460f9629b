//! An injected status: 429 or 5xx, with or without `Retry-After` in either form.

use super::{Decide, Effect, FaultInfo, Mistake, Place, RequestView, Roll};
use serde::{Deserialize, Serialize};

/// The injected answer; the request has no effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// One of these, by hash.
    pub codes: Vec<u16>,
    /// `Retry-After`, one of these by hash; empty for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry_after: Vec<RetryAfterSpec>,
}

/// A `Retry-After` to send. Real seconds: what stands on the wire does not scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "form", deny_unknown_fields)]
pub enum RetryAfterSpec {
    /// `delay-seconds`
    Seconds {
        /// The delay.
        s: u32,
    },
    /// `HTTP-date`, resolved when the answer is written and rounded up.
    Date {
        /// The delay before rounding.
        s: u32,
    },
}

impl Decide for Status {
    const INFO: FaultInfo = FaultInfo {
        kind: "status",
        place: Place::Respond,
        summary: "The answer is an error, with or without Retry-After; nothing is done.",
        example_toml: r#"
kind = "status"
codes = [429, 503]
retry_after = [{ form = "seconds", s = 2 }, { form = "date", s = 2 }]
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        let status = *roll.choose(&self.codes).unwrap_or(&500);
        Effect::Answer { status, retry_after: roll.choose(&self.retry_after).copied() }
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        if self.codes.is_empty() {
            found.push(Mistake::new("codes", "there are no status codes", "name at least one"));
        }
        for code in self.codes.iter().filter(|code| !(200..600).contains(*code)) {
            let what = format!("{code} is not a final HTTP status");
            found.push(Mistake::new("codes", what, "choose 200 to 599"));
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
    }

    #[test]
    fn every_code_and_every_form_comes_up() {
        let forms = vec![RetryAfterSpec::Seconds { s: 1 }, RetryAfterSpec::Date { s: 1 }];
        let fault = Status { codes: vec![429, 503], retry_after: forms.clone() };
        let met: Vec<_> = (0..50).map(|nth| decided(&fault, nth)).collect();
        for status in [429, 503] {
            for form in &forms {
                assert!(met.contains(&Effect::Answer { status, retry_after: Some(*form) }));
            }
        }
    }
}
