//! A server of the past: it offers TLS 1.0 and nothing newer, written by hand since no library of
//! today speaks it.

use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::CipherSuite;

/// A record that carries an alert (RFC 8446 section 5.1), and its length with its head.
const ALERT: u8 = 21;
const ALERT_RECORD: usize = 7;

/// Suites that both TLS 1.0 and many clients of today know, best first.
const SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
    CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA,
];

/// Answers a client's greeting as such a server does, and says what the client says to that: its
/// alert, or nothing.
///
/// # Errors
///
/// The system's word when the client cannot be written to or read from.
pub(super) async fn answer(
    stream: &mut TcpStream,
    offered: &[CipherSuite],
) -> io::Result<Option<u8>> {
    let both = SUITES.into_iter().find(|suite| offered.contains(suite));
    stream.write_all(&server_hello(both.unwrap_or(SUITES[2]))).await?;
    let mut said = [0; ALERT_RECORD];
    // A client that would go on waits for the rest of the greeting, and is left waiting.
    match stream.read_exact(&mut said).await {
        Ok(_) if said[0] == ALERT => Ok(Some(said[ALERT_RECORD - 1])),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// RFC 2246 section 7.4.1.3: version 3.1, a random number, no session, a suite, no compression.
fn server_hello(suite: CipherSuite) -> Vec<u8> {
    let mut hello = vec![3, 1];
    hello.extend_from_slice(&[0x5a; 32]);
    hello.push(0);
    hello.extend_from_slice(&u16::from(suite).to_be_bytes());
    hello.push(0);
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut message = vec![2, 0];
    message.extend_from_slice(&length(&hello));
    message.extend_from_slice(&hello);
    let mut record = vec![22, 3, 1];
    record.extend_from_slice(&length(&message));
    record.extend_from_slice(&message);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_is_that_of_tls_1_0() {
        let hello = server_hello(SUITES[2]);
        // A record of 42 bytes with a server's greeting of 38.
        assert_eq!(hello[..11], [22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1]);
        assert_eq!(hello.len(), 47);
        assert_eq!(hello[44..], [0, 0x2f, 0]);
    }
}
