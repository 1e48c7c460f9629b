//! What is recorded of a TLS connection: how its handshake went, and what came over it if nobody
//! should have trusted it.

use crate::clock::Moment;
use crate::contract::Listener;
use crate::faults::{CertificateFlaw, FaultMark};
use serde::{Deserialize, Serialize};

/// How a handshake ended, as the server saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandshakeEnd {
    /// Both sides had said everything: the client took the certificate that it was shown.
    Completed,
    /// The client said by an alert that it goes no further.
    Alert,
    /// The client closed or reset the connection without a word.
    HungUp,
    /// The client was silent for too long, or offered nothing that can be spoken here.
    Failed,
    /// The client's first byte was no TLS: it spoke in the clear.
    Plain,
    /// The mock broke off all connections.
    Broken,
    /// It was under way when the recording stopped.
    Open,
}

/// The certificate that a client was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    /// One that verifies.
    Good,
    /// One whose time is over.
    Expired,
    /// One that names somebody else.
    WrongHost,
    /// One that an authority has signed that the client was not told of.
    UnknownAuthority,
}

impl Certificate {
    /// That of a server with this flaw.
    #[must_use]
    pub const fn of(flaw: Option<CertificateFlaw>) -> Self {
        match flaw {
            None => Self::Good,
            Some(CertificateFlaw::Expired) => Self::Expired,
            Some(CertificateFlaw::WrongHost) => Self::WrongHost,
            Some(CertificateFlaw::UnknownAuthority) => Self::UnknownAuthority,
        }
    }
}

/// What lets its bearer in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// An `Authorization` header, whatever stands in it.
    Authorization,
    /// An `X-Vault-Token` header, whatever stands in it.
    VaultToken,
    /// A credential of this run, anywhere else.
    Other,
}

/// A connection to a server that speaks TLS, or tries to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// To which server.
    pub listener: Listener,
    /// The connection's number among those to Linktree, as in its exchanges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conn: Option<u64>,
    /// Connection accepted.
    pub t_conn: Moment,
    /// When the handshake was over; where it could not be trusted, when the connection was.
    pub t_end: Moment,
    /// How the handshake ended.
    pub end: HandshakeEnd,
    /// The certificate that the client was shown, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Certificate>,
    /// The name that the client asked for; nobody asks for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// The version that both agreed on, such as `TLSv1_3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The description of the client's alert (RFC 8446 section 6), if it sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<u8>,
    /// Bytes of the application that came over a connection that could not be trusted.
    #[serde(default, skip_serializing_if = "is_none")]
    pub bytes: u64,
    /// Credentials among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
    /// The faults that shaped it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultMark>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde calls it so
const fn is_none(bytes: &u64) -> bool {
    *bytes == 0
}

impl Handshake {
    /// Whether a client that verifies sends nothing over it: its certificate is bad, or there is none
    /// because it speaks in the clear.
    #[must_use]
    pub fn is_untrustworthy(&self) -> bool {
        match self.shown {
            Some(Certificate::Expired | Certificate::WrongHost | Certificate::UnknownAuthority) => {
                true
            }
            Some(Certificate::Good) => false,
            None => self.end == HandshakeEnd::Plain,
        }
    }
}
