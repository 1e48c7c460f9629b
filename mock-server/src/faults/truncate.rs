//! The body ends early: fewer bytes than the head promised, then a close.

use super::{Decide, Effect, RequestView, Roll};
use serde::{Deserialize, Serialize};

/// How much of the body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truncate {
    /// Per cent of the body's bytes, below 100.
    pub percent: u8,
}

impl Decide for Truncate {
    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Truncate { percent: self.percent.min(99) }
    }
}
