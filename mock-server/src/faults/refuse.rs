//! Nobody listens: connections are refused for as long as the rule's window is open.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Place, RequestView, Roll, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No settings: the port is closed with the window's beginning, and opened again with its end. A server
/// that is gone takes its open connections with it: they are reset at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refuse {}

impl Decide for Refuse {
    const INFO: FaultInfo = FaultInfo {
        kind: "refuse",
        place: Place::Edge,
        cautions: &[Caution::RefusesConnections, Caution::HindersClicks],
        summary: "Connections are refused while the rule's window is open, and open ones are reset.",
        example_toml: r#"
kind = "refuse"
"#,
    };

    fn stage(&self) -> Stage {
        Stage::Connection
    }

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::Refuse
    }

    /// Who asks in the very moment of the beginning may still be answered, and nobody knows who was
    /// refused.
    fn harm(&self) -> Harm {
        Harm::MayFail
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_refuses_connections_and_not_requests() {
        check(&Refuse {}, &Effect::Refuse);
        assert_eq!(Refuse {}.stage(), Stage::Connection);
    }
}
