//! The answer is whole and says that the connection closes, but the close comes late.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The wait between the answer's last byte and the close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowClose {
    /// Real milliseconds.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub ms: u64,
}

impl Decide for SlowClose {
    const INFO: FaultInfo = FaultInfo {
        kind: "slow-close",
        place: Place::Edge,
        cautions: &[Caution::HindersClicks],
        summary: "The answer is whole and announces a close, which comes late.",
        example_toml: r#"
kind = "slow-close"
ms = 1500
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::SlowClose { ms: self.ms }
    }

    fn harm(&self) -> Harm {
        Harm::None
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_waits_as_long_as_it_says() {
        check(&SlowClose { ms: 7 }, &Effect::SlowClose { ms: 7 });
    }
}
