//! A certificate that no client may accept: one that has expired, of another host, or of nobody known.

use super::engine::is_connection_to;
use super::{Caution, Decide, Effect, FaultInfo, Harm, Place, RequestView, Roll, Stage};
use crate::contract::Listener;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateFlaw {
    /// It was good until two days ago.
    Expired,
    /// It names another host and another address.
    WrongHost,
    /// An authority has signed it of which the client was not told.
    UnknownAuthority,
}

/// The handshake is all right otherwise, and whoever accepts the certificate is served. Needs TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BadCertificate {
    /// What is wrong.
    pub flaw: CertificateFlaw,
    /// Which server shows it; all of them unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<Listener>,
}

impl Decide for BadCertificate {
    const INFO: FaultInfo = FaultInfo {
        kind: "bad-certificate",
        place: Place::Edge,
        cautions: &[Caution::HitsHandshakes, Caution::HindersClicks],
        summary: "A connection's TLS certificate has expired, is another host's, or nobody known signed it.",
        example_toml: r#"
kind = "bad-certificate"
flaw = "expired"
"#,
    };

    fn stage(&self) -> Stage {
        Stage::Connection
    }

    fn decide(&self, request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        if is_connection_to(self.listener, request.key) {
            Effect::Certificate { flaw: self.flaw }
        } else {
            Effect::Pass
        }
    }

    /// Connections that exist go on, and whoever does not look is served.
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
        let flaw = CertificateFlaw::WrongHost;
        check(&BadCertificate { flaw, listener: None }, &Effect::Certificate { flaw });
        // What is asked is no connection to the vault.
        check(&BadCertificate { flaw, listener: Some(Listener::Vault) }, &Effect::Pass);
        assert_eq!(BadCertificate { flaw, listener: None }.stage(), Stage::Connection);
    }
}
