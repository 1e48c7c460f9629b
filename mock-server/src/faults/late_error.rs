//! The request has its effect, and then the answer is an error all the same.

use super::registry::status_within;
use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LateError {
    /// 5xx; 500 unless it says otherwise.
    #[serde(default = "internal")]
    #[schemars(range(min = 500, max = 599))]
    pub status: u16,
}

const fn internal() -> u16 {
    500
}

impl Decide for LateError {
    const INFO: FaultInfo = FaultInfo {
        kind: "late-error",
        place: Place::Respond,
        cautions: &[Caution::HindersClicks],
        summary: "The request has its effect, and the answer is an error all the same.",
        example_toml: r#"
kind = "late-error"
status = 500
"#,
    };

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::LateError { status: self.status }
    }

    fn harm(&self) -> Harm {
        Harm::Fails
    }

    fn mistakes(&self) -> Vec<Mistake> {
        status_within("status", self.status, 500, 599).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_answers_with_its_status_which_blames_the_server() {
        check(&LateError { status: 502 }, &Effect::LateError { status: 502 });
        assert_eq!(LateError { status: 502 }.mistakes(), []);
        assert_eq!(LateError { status: 404 }.mistakes().len(), 1);
    }
}
