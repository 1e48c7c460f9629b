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

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_never_writes_the_whole_body() {
        check(&Truncate { percent: 40 }, &Effect::Truncate { percent: 40 });
        check(&Truncate { percent: 100 }, &Effect::Truncate { percent: 99 });
    }
}
