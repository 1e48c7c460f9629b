//! An injected status: 429 or 5xx, with or without `Retry-After` in either form.

use super::{Decide, Effect, RequestView, Roll};
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
    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        let status = *roll.choose(&self.codes).unwrap_or(&500);
        Effect::Answer { status, retry_after: roll.choose(&self.retry_after).copied() }
    }
}
