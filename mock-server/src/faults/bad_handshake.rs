//! A TLS handshake that leads nowhere: silence, a reset after it, or a version of the past.

use super::engine::is_connection_to;
use super::{Caution, Decide, Effect, FaultInfo, Harm, Place, RequestView, Roll, Stage};
use crate::contract::Listener;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HandshakeFlaw {
    /// The client's greeting is never answered.
    Silent,
    /// It is completed, with a good certificate, and then the connection is reset.
    Reset,
    /// The server speaks TLS 1.0 and nothing newer.
    OldProtocol,
}

/// No request is read. Needs TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BadHandshake {
    /// What is wrong.
    pub how: HandshakeFlaw,
    /// Whose handshakes; those of all servers unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<Listener>,
}

impl Decide for BadHandshake {
    const INFO: FaultInfo = FaultInfo {
        kind: "bad-handshake",
        place: Place::Edge,
        cautions: &[Caution::HitsHandshakes, Caution::HindersClicks],
        summary: "A connection's TLS handshake is not answered, is reset at its end, or offers TLS 1.0 only.",
        example_toml: r#"
kind = "bad-handshake"
how = "silent"
"#,
    };

    fn stage(&self) -> Stage {
        Stage::Connection
    }

    fn decide(&self, request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        if is_connection_to(self.listener, request.key) {
            Effect::Handshake { how: self.how }
        } else {
            Effect::Pass
        }
    }

    /// Connections that exist go on.
    fn harm(&self) -> Harm {
        Harm::MayFail
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_decides_about_the_connections_of_the_server_that_it_names() {
        let how = HandshakeFlaw::Reset;
        check(&BadHandshake { how, listener: None }, &Effect::Handshake { how });
        // What is asked is no connection to the vault.
        check(&BadHandshake { how, listener: Some(Listener::Vault) }, &Effect::Pass);
        assert_eq!(BadHandshake { how, listener: None }.stage(), Stage::Connection);
    }
}
