//! The connection closes without a byte of an answer, and nothing is done.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No settings: a close (FIN) in place of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyReply {}

impl Decide for EmptyReply {
    const INFO: FaultInfo = FaultInfo {
        kind: "empty-reply",
        place: Place::Edge,
        cautions: &[Caution::HindersClicks],
        summary: "The connection closes without a byte of an answer; nothing is done.",
        example_toml: r#"
kind = "empty-reply"
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::EmptyReply
    }

    fn harm(&self) -> Harm {
        Harm::Fails
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_answers_nothing_and_does_nothing() {
        check(&EmptyReply {}, &Effect::EmptyReply);
        assert!(!Effect::EmptyReply.shape().processed);
    }
}
