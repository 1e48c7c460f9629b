//! Whatever a user wrote is hostile: names, biographies, titles and addresses.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Place, RequestView, Rewrite, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No settings: each field gets one of the mock's own hostile strings, by hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostileStrings {}

impl Decide for HostileStrings {
    const INFO: FaultInfo = FaultInfo {
        kind: "hostile-strings",
        place: Place::Respond,
        cautions: &[Caution::HindersClicks],
        summary: "Names, biographies, titles and addresses of users are hostile strings.",
        example_toml: r#"
kind = "hostile-strings"
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, roll: &mut Roll) -> Effect {
        Effect::Rewrite { how: Rewrite::HostileStrings { seed: roll.seed() } }
    }

    fn harm(&self) -> Harm {
        Harm::MayFail
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::decided;
    use super::*;

    #[test]
    fn every_request_has_strings_of_its_own_and_the_same_again() {
        let fault = HostileStrings {};
        assert_eq!(decided(&fault, 0), decided(&fault, 0));
        assert_ne!(decided(&fault, 0), decided(&fault, 1));
    }
}
