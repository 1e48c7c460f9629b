//! Nobody answers: handshakes are dropped for as long as the rule's window is open.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Place, RequestView, Roll, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No settings: from the window's beginning to its end the kernel drops handshakes, since the queue of
/// connections that wait to be accepted is full. Who connects meanwhile waits for its own timeout, or for
/// the end. Connections that exist are broken off at the beginning, or a pool would never connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoConnect {}

impl Decide for NoConnect {
    const INFO: FaultInfo = FaultInfo {
        kind: "no-connect",
        place: Place::Edge,
        cautions: &[Caution::RefusesConnections, Caution::HindersClicks],
        summary: "Handshakes are dropped while the rule's window is open: connecting times out. Open \
                  connections are reset.",
        example_toml: r#"
kind = "no-connect"
"#,
    };

    fn stage(&self) -> Stage {
        Stage::Connection
    }

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::NoConnect
    }

    /// Who has more patience than the window is long gets in after all.
    fn harm(&self) -> Harm {
        Harm::MayFail
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_keeps_connections_out_and_not_requests() {
        check(&NoConnect {}, &Effect::NoConnect);
        assert_eq!(NoConnect {}.stage(), Stage::Connection);
    }
}
