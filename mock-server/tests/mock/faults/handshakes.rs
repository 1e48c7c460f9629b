//! What becomes of a client whose TLS handshake meets a fault.

use super::{PROFILE, kinds};
use crate::rig::{PATIENCE, Rig, always};
use crate::tls_client;
use mock_server::faults::{BadHandshake, Fault, HandshakeFlaw};
use mock_server::history::exchange::Exchange;
use mock_server::tls::Authority;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tokio_rustls::rustls::{CertificateError, ClientConnection, Error, Stream};

/// What a client sees that looks at certificates, what one sees that does not, and what is recorded.
pub fn seen(fault: &Fault) -> (String, String, Exchange) {
    let authority = Authority::new(&["127.0.0.1"]).unwrap();
    let pem = authority.pem().to_owned();
    let rig = Rig::new(|config| {
        config.rules = vec![always("it", fault.clone())];
        config.tls = Some(authority);
    });
    assert!(rig.mock.url().starts_with("https://"));
    let looking = words(ask(&rig, fault, Some(&pem)));
    let record = rig.tape.wait(1).remove(0);
    assert!(record.is_connection_only() && kinds(&record) == [fault.kind().name()], "{record:?}");
    (looking, words(ask(&rig, fault, None)), record)
}

fn ask(rig: &Rig, fault: &Fault, authority: Option<&str>) -> io::Result<String> {
    let mut socket = TcpStream::connect(("127.0.0.1", rig.mock.port()))?;
    let silent =
        matches!(fault, Fault::BadHandshake(BadHandshake { how: HandshakeFlaw::Silent, .. }));
    let patience = if silent { Duration::from_millis(250) } else { PATIENCE };
    socket.set_read_timeout(Some(patience))?;
    let mut client =
        ClientConnection::new(tls_client::client(authority), tls_client::name()).unwrap();
    let mut stream = Stream::new(&mut client, &mut socket);
    stream.write_all(rig.request("GET", PROFILE, "", "").as_bytes())?;
    let mut answer = [0; 4096];
    let length = stream.read(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    Ok(answer.lines().next().unwrap_or("FIN").to_owned())
}

/// As any library would say it.
fn words(asked: io::Result<String>) -> String {
    use CertificateError as Bad;
    let error = match asked {
        Ok(answer) => return answer,
        Err(error) => error,
    };
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match (inner, error.kind()) {
        (Some(Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. })), _) => {
            "the certificate has expired".to_owned()
        }
        (
            Some(Error::InvalidCertificate(
                Bad::NotValidForName | Bad::NotValidForNameContext { .. },
            )),
            _,
        ) => "the certificate is for somebody else".to_owned(),
        (Some(Error::InvalidCertificate(Bad::UnknownIssuer)), _) => {
            "nobody known has signed the certificate".to_owned()
        }
        (Some(Error::PeerIncompatible(_)), _) => "the version is too old".to_owned(),
        (None, ErrorKind::WouldBlock | ErrorKind::TimedOut) => "silence".to_owned(),
        (None, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => "RST".to_owned(),
        _ => panic!("{error:?}"),
    }
}
