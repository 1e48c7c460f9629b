//! A handshake while it is under way: it is recorded exactly once, at its end or when all is over.

use super::Tls;
use crate::clock::Clock;
use crate::contract::Listener;
use crate::faults::FaultMark;
use crate::history::handshake::{Credential, Handshake, HandshakeEnd};
use crate::history::record::{Record, Recorder};
use crate::routes::Shared;
use std::io;
use std::sync::Arc;
use tokio_rustls::rustls;

/// So much of what comes over a connection that cannot be trusted is looked at, bytes: a head and more.
const LOOKED_AT: usize = 64 * 1024;

/// The rules that have broken off all connections since one was accepted; none while nothing has.
pub(crate) type BrokenBy = Box<dyn Fn() -> Option<Vec<FaultMark>> + Send>;

/// Dropping it records it once the client has said something, as [`HandshakeEnd::Open`] unless it or
/// whoever broke it off says otherwise.
pub(super) struct OpenHandshake {
    pub record: Handshake,
    clock: Clock,
    recorder: Arc<dyn Recorder>,
    shared: Arc<Shared>,
    broken_by: BrokenBy,
    begun: bool,
}

impl OpenHandshake {
    pub fn new(
        tls: &Tls,
        listener: Listener,
        conn: Option<u64>,
        mark: Option<FaultMark>,
        broken_by: BrokenBy,
    ) -> Self {
        let now = tls.clock.now();
        let record = Handshake {
            listener,
            conn,
            t_conn: now,
            t_end: now,
            end: HandshakeEnd::Open,
            shown: None,
            server_name: None,
            version: None,
            alert: None,
            bytes: 0,
            credentials: Vec::new(),
            faults: mark.into_iter().collect(),
        };
        Self {
            record,
            clock: tls.clock,
            recorder: Arc::clone(&tls.recorder),
            shared: Arc::clone(&tls.shared),
            broken_by,
            begun: false,
        }
    }

    /// The client's first byte has come.
    pub fn begin(&mut self) {
        self.begun = true;
    }

    /// Records how it ended, now.
    pub fn finish(mut self, end: HandshakeEnd) {
        self.record.end = end;
    }

    /// Records that it failed: the error says who gave up.
    pub fn fail(mut self, error: &io::Error) {
        self.note(error);
    }

    fn note(&mut self, error: &io::Error) {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        self.record.end = match inner {
            Some(rustls::Error::AlertReceived(alert)) => {
                self.record.alert = Some((*alert).into());
                HandshakeEnd::Alert
            }
            Some(_) => HandshakeEnd::Failed,
            // A close or a reset.
            None => HandshakeEnd::HungUp,
        };
    }
}

impl Drop for OpenHandshake {
    fn drop(&mut self) {
        if !self.begun {
            return;
        }
        let still_open = self.record.end == HandshakeEnd::Open;
        if let Some(marks) = still_open.then(|| (self.broken_by)()).flatten() {
            self.record.end = HandshakeEnd::Broken;
            self.record.faults.extend(marks);
        }
        self.record.t_end = self.clock.now();
        let record = Box::new(self.record.clone());
        self.recorder.record(Record::Handshake(record));
    }
}

/// A connection that should not be trusted, and what comes over it.
pub(super) struct Watched {
    open: OpenHandshake,
    plaintext: Vec<u8>,
}

impl Watched {
    pub fn new(open: OpenHandshake) -> Self {
        Self { open, plaintext: Vec::new() }
    }

    /// The client has sent this.
    pub fn came(&mut self, bytes: &[u8]) {
        self.open.record.bytes += bytes.len() as u64;
        let room = LOOKED_AT - self.plaintext.len();
        self.plaintext.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Nothing more can be read. A client may well finish the handshake and refuse only then.
    pub fn failed(&mut self, error: &io::Error) {
        if self.open.record.bytes == 0 {
            self.open.note(error);
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let ring = self.open.shared.world.keys.ring();
        let known = ring.scanner().find(&self.plaintext);
        let mut credentials = by_header(&self.plaintext);
        if credentials.is_empty() && (known.api_key || known.other) {
            credentials.push(Credential::Other);
        }
        self.open.record.credentials = credentials;
    }
}

/// The credentials that have a header of their own, also those that nobody knows.
fn by_header(plaintext: &[u8]) -> Vec<Credential> {
    let named = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        let one = match name.to_ascii_lowercase().as_slice() {
            b"authorization" => Credential::Authorization,
            b"x-vault-token" => Credential::VaultToken,
            _ => return None,
        };
        (!value[1..].trim_ascii().is_empty()).then_some(one)
    };
    let mut found: Vec<_> = plaintext.split(|byte| *byte == b'\n').filter_map(named).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_for_a_credential_counts_if_there_is_something_in_it() {
        let check = |text: &str, expected: &[Credential]| {
            assert_eq!(by_header(text.as_bytes()), expected, "{text:?}");
        };
        check("GET / HTTP/1.1\r\nAUTHORIZATION: x\r\n\r\n", &[Credential::Authorization]);
        check("X-Vault-Token: t", &[Credential::VaultToken]);
        check(
            "x-vault-token: t\nauthorization: x\nAuthorization: y",
            &[Credential::Authorization, Credential::VaultToken],
        );
        check("Authorization: \r\n", &[]);
        check("GET /authorization: x", &[]);
        check("", &[]);
    }
}
