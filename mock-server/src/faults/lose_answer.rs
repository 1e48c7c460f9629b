//! The effect is done, but the connection closes before a byte of the answer.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No settings: the request is processed and its answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoseAnswer {}

impl Decide for LoseAnswer {
    const INFO: FaultInfo = FaultInfo {
        kind: "lose-answer",
        place: Place::Edge,
        cautions: &[Caution::HindersClicks],
        summary: "The request has its effect, but the connection closes without an answer.",
        example_toml: r#"
kind = "lose-answer"
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::LoseAnswer
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
    fn it_loses_every_answer() {
        check(&LoseAnswer {}, &Effect::LoseAnswer);
    }
}
