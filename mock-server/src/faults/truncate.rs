//! The body ends early: fewer bytes than the head promised, then a close.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much of the body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Truncate {
    /// Per cent of the body's bytes, below 100.
    #[schemars(range(min = 0, max = 99))]
    pub percent: u8,
}

impl Decide for Truncate {
    const INFO: FaultInfo = FaultInfo {
        kind: "truncate",
        place: Place::Edge,
        cautions: &[Caution::HindersClicks],
        summary: "The body ends before its length, with a close.",
        example_toml: r#"
kind = "truncate"
percent = 50
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Truncate { percent: self.percent.min(99) }
    }

    /// An answer without a body cannot be cut.
    fn harm(&self) -> Harm {
        Harm::MayFail
    }

    fn mistakes(&self) -> Vec<Mistake> {
        Mistake::unless_part_of_body(self.percent).into_iter().collect()
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
