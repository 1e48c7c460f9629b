//! A broken TLS endpoint: the first bytes of a connection are answered with an alert and a close.

use super::{Caution, Decide, Effect, FaultInfo, Harm, Mistake, Place, RequestView, Roll, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fatal alert (RFC 8446 section 6), whatever the client said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsAlert {
    /// The description; 40 (`handshake_failure`) unless it says otherwise.
    #[serde(default = "handshake_failure")]
    #[schemars(range(min = 0, max = 255))]
    pub alert: u8,
}

const fn handshake_failure() -> u8 {
    40
}

impl Decide for TlsAlert {
    const INFO: FaultInfo = FaultInfo {
        kind: "tls-alert",
        place: Place::Edge,
        cautions: &[Caution::HindersClicks],
        summary: "The first bytes of a connection are answered with a TLS alert and a close.",
        example_toml: r#"
kind = "tls-alert"
alert = 40
"#,
    };

    fn stage(&self) -> Stage {
        Stage::Connection
    }

    fn decide(&self, _request: &RequestView<'_>, _roll: &mut Roll) -> Effect {
        Effect::TlsAlert { alert: self.alert }
    }

    /// Connections that exist go on.
    fn harm(&self) -> Harm {
        Harm::MayFail
    }

    fn mistakes(&self) -> Vec<Mistake> {
        if self.alert != 0 {
            return Vec::new();
        }
        let fix = "choose another: 40 is handshake_failure, 80 is internal_error";
        vec![Mistake::new("alert", "0 is close_notify, which is no failure", fix)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn it_decides_about_connections_and_alerts_as_it_says() {
        check(&TlsAlert { alert: 80 }, &Effect::TlsAlert { alert: 80 });
        assert_eq!(TlsAlert { alert: 80 }.stage(), Stage::Connection);
        assert_eq!([0, 80].map(|alert| TlsAlert { alert }.mistakes().len()), [1, 0]);
    }
}
