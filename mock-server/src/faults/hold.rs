//! The answer is held back until somebody releases it.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No settings: the request has its effect, and its answer waits for
/// [`release`](crate::server::MockLinktree::release) with the rule's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hold {}

impl Decide for Hold {
    const INFO: FaultInfo = FaultInfo {
        kind: "hold",
        place: Place::Edge,
        cautions: &[Caution::HindersClicks],
        summary: "The answer is held back until it is released.",
        example_toml: r#"
kind = "hold"
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Hold
    }

    /// Nobody knows whether it is released in time.
    fn harm(&self) -> Harm {
        Harm::MayFail
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_holds_every_answer() {
        check(&Hold {}, &Effect::Hold);
    }
}
