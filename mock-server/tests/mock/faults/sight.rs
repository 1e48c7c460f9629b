//! What a raw client sees of one connection: every byte, and how it ended.

use crate::rig::{PATIENCE, Rig};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How the client's view of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The answer was whole, and the connection may carry another request.
    KeptOpen,
    /// The server closed (FIN).
    Closed,
    /// The server reset (RST).
    Reset,
    /// Nothing more came for a while.
    Silence,
    /// The connection was refused.
    Refused,
    /// The handshake was not answered.
    Unanswered,
}

/// How long a handshake may take: on loopback it is answered at once, or never.
const HANDSHAKE: Duration = Duration::from_millis(100);

/// A connection to the mock, or how there is none.
pub fn connect(rig: &Rig) -> Result<TcpStream, Ending> {
    let address = SocketAddr::from(([127, 0, 0, 1], rig.mock.port()));
    TcpStream::connect_timeout(&address, HANDSHAKE).map_err(|error| match error.kind() {
        ErrorKind::TimedOut => Ending::Unanswered,
        // It was there, and reset before this side had looked.
        ErrorKind::ConnectionReset => Ending::Reset,
        _ => Ending::Refused,
    })
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct Sight {
    pub bytes: Vec<u8>,
    pub end: Ending,
}

/// Sends a request on a connection of its own, and looks until the end; a client that expects
/// silence gives up soon.
pub fn look(rig: &Rig, request: &str, expects_silence: bool) -> Sight {
    let mut sight = Sight { bytes: Vec::new(), end: Ending::Refused };
    let mut stream = match connect(rig) {
        Ok(stream) => stream,
        Err(end) => return Sight { end, ..sight },
    };
    let patience = if expects_silence { Duration::from_millis(250) } else { PATIENCE };
    stream.set_read_timeout(Some(patience)).unwrap();
    if stream.write_all(request.as_bytes()).is_err() {
        // It was reset already, and says so only once.
        sight.end = Ending::Reset;
        return sight;
    }
    sight.end = loop {
        if sight.is_whole() && !sight.announces_close() {
            break Ending::KeptOpen;
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(0) => break Ending::Closed,
            Ok(read) => sight.bytes.extend_from_slice(&piece[..read]),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
                break Ending::Silence;
            }
            Err(_) => break Ending::Reset,
        }
    };
    sight
}

/// A profile read through [`look`].
pub fn look_at_profile(rig: &Rig) -> Sight {
    look(rig, &rig.request("GET", super::PROFILE, "", ""), false)
}

impl Sight {
    /// Head, without its empty line, and body; none before the head is there.
    pub fn parts(&self) -> Option<(String, &[u8])> {
        let at = self.bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&self.bytes[..at]).into_owned();
        head.starts_with("HTTP/1.1 ").then_some((head, &self.bytes[at + 4..]))
    }

    pub fn status(&self) -> Option<u16> {
        self.parts()?.0[9..12].parse().ok()
    }

    pub fn headers(&self) -> Vec<(String, String)> {
        let head = self.parts().map(|parts| parts.0).unwrap_or_default();
        let lines = head.split("\r\n").skip(1).map(|line| {
            let (name, value) = line.split_once(": ").unwrap_or((line, "(no colon)"));
            (name.to_owned(), value.to_owned())
        });
        lines.collect()
    }

    /// Every value of a header.
    pub fn values(&self, name: &str) -> Vec<String> {
        let mine = self.headers().into_iter().filter(|(known, _)| known == name);
        mine.map(|(_, value)| value).collect()
    }

    pub fn body(&self) -> &[u8] {
        self.parts().map_or(&[], |parts| parts.1)
    }

    /// The body's length as the head says it.
    pub fn promised(&self) -> Option<usize> {
        self.values("content-length").first()?.parse().ok()
    }

    fn is_whole(&self) -> bool {
        let bodiless = matches!(self.status(), Some(204 | 304));
        let length = self.promised().or(bodiless.then_some(0));
        length.is_some_and(|length| self.body().len() >= length)
    }

    fn announces_close(&self) -> bool {
        self.values("connection") == ["close"]
    }
}
