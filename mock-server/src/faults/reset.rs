//! The connection is reset (RST): when it is accepted, before the head or inside the body.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Place, RequestView, Roll, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A reset at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// Where.
    pub at: ResetAt,
}

/// Where the connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResetAt {
    /// As soon as the connection is accepted; no request is read, and none can be matched.
    Accept,
    /// After the request, before any byte of the answer; nothing is done.
    BeforeHead,
    /// After half of the body.
    MidBody,
}

impl Decide for Reset {
    const INFO: FaultInfo = FaultInfo {
        kind: "reset",
        place: Place::Edge,
        cautions: &[Caution::HindersClicks],
        summary: "The connection is reset: when it is accepted, before the head or inside the body.",
        example_toml: r#"
kind = "reset"
at = "mid-body"
"#,
    };

    fn stage(&self) -> Stage {
        if self.at == ResetAt::Accept { Stage::Connection } else { Stage::Request }
    }

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Reset { at: self.at }
    }

    /// Connections that exist outlive the first, and an answer without a body the last.
    fn harm(&self) -> Harm {
        Harm::certain_if(self.at == ResetAt::BeforeHead)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_resets_where_it_says() {
        for at in [ResetAt::Accept, ResetAt::BeforeHead, ResetAt::MidBody] {
            check(&Reset { at }, &Effect::Reset { at });
            let at_once = at == ResetAt::Accept;
            assert_eq!(Reset { at }.stage() == Stage::Connection, at_once);
        }
    }
}
