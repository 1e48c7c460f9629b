//! Bytes that are no HTTP come in place of the answer, and nothing is done.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most bytes, so that no plan exhausts the mock's memory.
const MOST: u32 = 1 << 20;

/// The bytes are drawn from the seed, and closed with a FIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Garbage {
    /// How many bytes.
    #[schemars(range(min = 0, max = 1_048_576))]
    pub bytes: u32,
}

impl Decide for Garbage {
    const INFO: FaultInfo = FaultInfo {
        kind: "garbage",
        place: Place::Edge,
        cautions: &[Caution::HindersClicks],
        summary: "Bytes that are no HTTP come in place of the answer; nothing is done.",
        example_toml: r#"
kind = "garbage"
bytes = 64
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        Effect::Garbage { seed: roll.seed(), bytes: self.bytes.clamp(1, MOST) }
    }

    fn harm(&self) -> Harm {
        Harm::Fails
    }

    fn mistakes(&self) -> Vec<Mistake> {
        if (1..=MOST).contains(&self.bytes) {
            return Vec::new();
        }
        let fix = "choose 1 to 1048576; the fault empty-reply sends none";
        vec![Mistake::new("bytes", format!("{} bytes", self.bytes), fix)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::decided;
    use super::*;

    #[test]
    fn every_request_gets_bytes_of_its_own_and_the_same_again() {
        let fault = Garbage { bytes: 9 };
        assert_eq!(decided(&fault, 0), decided(&fault, 0));
        assert_ne!(decided(&fault, 0), decided(&fault, 1));
        assert!(matches!(decided(&fault, 0), Effect::Garbage { bytes: 9, .. }));
        assert_eq!([0, MOST, MOST + 1].map(|bytes| Garbage { bytes }.mistakes().len()), [1, 0, 1]);
    }
}
