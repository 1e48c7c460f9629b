//! Handshakes as clients see them, and what is recorded of them.

use super::Authority;
use crate::contract::Listener::{self, Linktree, Vault};
use crate::faults::{
    BadCertificate, BadHandshake, CertificateFlaw, Fault, HandshakeFlaw, Refuse, Rule,
};
use crate::history::exchange::Exchange;
use crate::history::handshake::{Certificate, Credential, Handshake, HandshakeEnd};
use crate::history::record::Record;
use crate::server::{Extras, MockLinktree};
use crate::serving::Bounds;
use crate::tls_client;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const PATIENCE: Duration = Duration::from_secs(5);

/// A mock that speaks TLS, and the certificate of its authority.
struct Rig {
    mock: MockLinktree,
    pem: String,
}

impl Rig {
    fn with(fault: Option<Fault>) -> Self {
        let authority = Authority::new(&["127.0.0.1"]).unwrap();
        let pem = authority.pem().to_owned();
        let mut mock = MockLinktree::builder().tls(authority);
        if let Some(fault) = fault {
            mock = mock.rule(Rule::new("tls", fault));
        }
        Self { mock: mock.start().unwrap(), pem }
    }

    async fn tcp(&self, listener: Listener) -> TcpStream {
        let url = match listener {
            Linktree => self.mock.url(),
            Vault => self.mock.vault_url(),
            Listener::Alerts => self.mock.alerts_url(),
        };
        TcpStream::connect(url.strip_prefix("https://").unwrap()).await.unwrap()
    }

    async fn connect(&self, listener: Listener, looks: bool) -> io::Result<TlsStream<TcpStream>> {
        let authority = looks.then_some(self.pem.as_str());
        let connector = TlsConnector::from(tls_client::client(authority));
        let (name, stream) = (tls_client::name(), self.tcp(listener).await);
        connector.connect(name, stream).await
    }

    fn request(&self, listener: Listener) -> String {
        match listener {
            Vault => {
                let token = self.mock.vault_token();
                format!(
                    "GET /v1/secret/data/linktree HTTP/1.1\r\nHost: x\r\nX-Vault-Token: {token}\r\n\r\n"
                )
            }
            _ => {
                let key = self.mock.api_key();
                format!("GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n")
            }
        }
    }

    /// Asks once, and says how the answer begins.
    async fn ask(&self, listener: Listener, stream: &mut TlsStream<TcpStream>) -> String {
        stream.write_all(self.request(listener).as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    /// The handshakes that are recorded once there are so many.
    async fn handshakes(&self, count: usize) -> Vec<Handshake> {
        let is_one = |record: &Record| matches!(record, Record::Handshake(_));
        let records = self.mock.history().wait_for_records(count, PATIENCE, is_one).await.unwrap();
        let handshake = |record| match record {
            Record::Handshake(handshake) => *handshake,
            other => panic!("{other:?}"),
        };
        records.into_iter().map(handshake).collect()
    }

    /// The one exchange that is recorded.
    async fn exchange(&self) -> Exchange {
        self.mock.history().wait_for(1, PATIENCE).await.unwrap().remove(0)
    }
}

fn shows(flaw: CertificateFlaw) -> Option<Fault> {
    Some(Fault::BadCertificate(BadCertificate { flaw, listener: None }))
}

fn greets(how: HandshakeFlaw) -> Option<Fault> {
    Some(Fault::BadHandshake(BadHandshake { how, listener: None }))
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_is_served_by_all_servers() {
    let rig = Rig::with(None);
    for listener in [Linktree, Vault] {
        let mut stream = rig.connect(listener, true).await.unwrap();
        assert!(rig.ask(listener, &mut stream).await.starts_with("HTTP/1.1 200"), "{listener:?}");
    }
    rig.connect(Listener::Alerts, true).await.unwrap();
    for (handshake, listener) in
        rig.handshakes(3).await.iter().zip([Linktree, Vault, Listener::Alerts])
    {
        assert_eq!((handshake.listener, handshake.end), (listener, HandshakeEnd::Completed));
        assert_eq!(
            (handshake.shown, handshake.version.as_deref()),
            (Some(Certificate::Good), Some("TLSv1_3"))
        );
        assert_eq!((handshake.bytes, handshake.is_untrustworthy()), (0, false));
    }
    assert_eq!(rig.exchange().await.status, Some(200));
}

/// The alerts are those of RFC 8446 section 6.2: certificate_expired, bad_certificate, unknown_ca.
/// Proves that clients which never finish their handshakes starve nobody, just as in the clear.
#[tokio::test]
async fn half_open_handshakes_give_way_to_whoever_asks() {
    let authority = Authority::new(&["127.0.0.1"]).unwrap();
    let pem = authority.pem().to_owned();
    let mut config = crate::rig::config(&Arc::default());
    config.tls = Some(authority);
    let bounds = Bounds { connections: 4, ..Bounds::default() };
    let extras = Extras { bounds, ..Extras::default() };
    let rig = Rig { mock: MockLinktree::start_with(config, extras).unwrap(), pem };
    for listener in [Vault, Listener::Alerts] {
        let mut held = Vec::new();
        for half in [&[][..], &[22], &[22, 3, 1, 2, 0, 1]] {
            for _ in 0..7 {
                let mut half_open = rig.tcp(listener).await;
                // It fails for whoever had to give way already.
                let _ = half_open.write_all(half).await;
                held.push(half_open);
            }
            let mut stream = rig.connect(listener, true).await.unwrap();
            assert!(rig.ask(listener, &mut stream).await.starts_with("HTTP/1.1 "), "{listener:?}");
        }
    }
}

#[tokio::test]
async fn a_port_that_is_shut_resets_handshakes_under_way_as_well_as_open_connections() {
    let rig = Rig::with(None);
    let mut silent = rig.tcp(Linktree).await;
    let mut half_open = rig.tcp(Linktree).await;
    half_open.write_all(&[22]).await.unwrap();
    let mut open = rig.connect(Linktree, true).await.unwrap();
    assert!(rig.ask(Linktree, &mut open).await.starts_with("HTTP/1.1 200"));
    rig.mock.add_rule(Rule::new("gone", Fault::Refuse(Refuse {}))).unwrap();
    for read in [silent.read_u8().await, half_open.read_u8().await, open.read_u8().await] {
        assert_eq!(read.map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionReset));
    }
    let handshakes = rig.handshakes(2).await;
    let met =
        |one: &Handshake| (one.end, one.faults.iter().map(|mark| mark.rule.clone()).collect());
    let met: Vec<(_, Vec<String>)> = handshakes.iter().map(met).collect();
    let broken = (HandshakeEnd::Broken, vec!["gone".to_owned()]);
    assert_eq!(met, [(HandshakeEnd::Completed, vec![]), broken], "and of the silent one nothing");
}

/// What is left of the connections that a client has had all along.
#[tokio::test]
async fn who_had_a_connection_before_the_handshakes_went_wrong_needs_another() {
    let rig = Rig::with(None);
    let mut linktree = rig.connect(Linktree, true).await.unwrap();
    let mut vault = rig.connect(Vault, true).await.unwrap();
    let bad = BadCertificate { flaw: CertificateFlaw::Expired, listener: Some(Vault) };
    rig.mock.add_rule(Rule::new("tls", Fault::BadCertificate(bad))).unwrap();
    for _ in 0..2 {
        assert!(rig.ask(Linktree, &mut linktree).await.starts_with("HTTP/1.1 200"));
    }
    let answer = rig.ask(Vault, &mut vault).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    assert_eq!(vault.read(&mut [0]).await.unwrap(), 0);
    rig.connect(Vault, true).await.unwrap_err();
}

#[tokio::test]
async fn a_client_that_looks_refuses_a_bad_certificate_and_sends_nothing() {
    for (flaw, shown, alert) in [
        (CertificateFlaw::Expired, Certificate::Expired, 45),
        (CertificateFlaw::WrongHost, Certificate::WrongHost, 42),
        (CertificateFlaw::UnknownAuthority, Certificate::UnknownAuthority, 48),
    ] {
        let rig = Rig::with(shows(flaw));
        rig.connect(Linktree, true).await.unwrap_err();
        let handshake = rig.handshakes(1).await.remove(0);
        assert_eq!(
            (handshake.end, handshake.alert),
            (HandshakeEnd::Alert, Some(alert)),
            "{flaw:?}"
        );
        assert_eq!((handshake.shown, handshake.bytes), (Some(shown), 0));
        assert_eq!(handshake.credentials, []);
        let met = rig.exchange().await;
        assert!(met.is_connection_only() && met.faults == handshake.faults, "{met:?}");
    }
}

#[tokio::test]
async fn what_a_client_says_that_does_not_look_is_recorded() {
    for (listener, credential) in
        [(Linktree, Credential::Authorization), (Vault, Credential::VaultToken)]
    {
        let rig = Rig::with(shows(CertificateFlaw::Expired));
        let mut stream = rig.connect(listener, false).await.unwrap();
        assert!(rig.ask(listener, &mut stream).await.starts_with("HTTP/1.1 200"), "{listener:?}");
        drop(stream);
        let handshake = rig.handshakes(1).await.remove(0);
        assert_eq!(handshake.end, HandshakeEnd::Completed);
        assert_eq!(handshake.bytes, rig.request(listener).len() as u64);
        assert_eq!(handshake.credentials, [credential]);
        // Nothing of it stands in the record.
        let text = serde_json::to_string(&handshake).unwrap();
        assert!(!text.contains(&rig.mock.api_key()) && !text.contains(rig.mock.vault_token()));
    }
}

#[tokio::test]
async fn a_connection_that_is_open_at_the_end_is_recorded_then() {
    let rig = Rig::with(shows(CertificateFlaw::WrongHost));
    let mut stream = rig.connect(Vault, false).await.unwrap();
    rig.ask(Vault, &mut stream).await;
    let history = rig.mock.history().clone();
    rig.mock.stop();
    let handshakes = history.records().into_iter().filter_map(|record| match record {
        Record::Handshake(handshake) => Some(handshake.credentials),
        _ => None,
    });
    assert_eq!(handshakes.collect::<Vec<_>>(), [[Credential::VaultToken]]);
}

#[tokio::test]
async fn silence_lasts_until_the_client_leaves() {
    let rig = Rig::with(greets(HandshakeFlaw::Silent));
    let waited = tokio::time::timeout(Duration::from_millis(50), rig.connect(Linktree, true)).await;
    assert!(waited.is_err());
    let handshake = rig.handshakes(1).await.remove(0);
    assert_eq!((handshake.end, handshake.shown), (HandshakeEnd::HungUp, None));
    assert!(rig.exchange().await.is_connection_only());
}

#[tokio::test]
async fn a_reset_comes_after_a_handshake_that_verified() {
    let rig = Rig::with(greets(HandshakeFlaw::Reset));
    let mut stream = rig.connect(Linktree, true).await.unwrap();
    let mut answer = [0; 16];
    assert!(stream.read(&mut answer).await.is_err());
    let handshake = rig.handshakes(1).await.remove(0);
    assert_eq!(
        (handshake.end, handshake.shown),
        (HandshakeEnd::Completed, Some(Certificate::Good))
    );
    assert!(rig.exchange().await.is_connection_only());
}

/// The alert is protocol_version.
#[tokio::test]
async fn a_client_of_today_does_not_speak_with_a_server_of_the_past() {
    let rig = Rig::with(greets(HandshakeFlaw::OldProtocol));
    rig.connect(Linktree, true).await.unwrap_err();
    let handshake = rig.handshakes(1).await.remove(0);
    assert_eq!(
        (handshake.end, handshake.version.as_deref()),
        (HandshakeEnd::Alert, Some("TLSv1_0"))
    );
    assert_eq!(handshake.alert, Some(70));
    assert!(rig.exchange().await.is_connection_only());
}

#[tokio::test]
async fn whoever_speaks_in_the_clear_is_told_and_has_shown_its_key() {
    for (listener, credential) in
        [(Linktree, Credential::Authorization), (Vault, Credential::VaultToken)]
    {
        let rig = Rig::with(None);
        let mut stream = rig.tcp(listener).await;
        stream.write_all(rig.request(listener).as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400") && answer.ends_with("https"), "{answer}");
        let handshake = rig.handshakes(1).await.remove(0);
        assert_eq!(
            (handshake.end, &*handshake.credentials),
            (HandshakeEnd::Plain, &[credential][..])
        );
        assert!(handshake.is_untrustworthy());
    }
}

#[tokio::test]
async fn while_handshakes_go_wrong_each_request_has_one_of_its_own() {
    let rig = Rig::with(None);
    let mut warm = rig.connect(Linktree, true).await.unwrap();
    assert!(!rig.ask(Linktree, &mut warm).await.contains("connection: close"));
    let fault = shows(CertificateFlaw::Expired).unwrap();
    rig.mock.add_rule(Rule::new("tls", fault)).unwrap();
    assert!(rig.ask(Linktree, &mut warm).await.contains("connection: close"));
}

#[tokio::test]
async fn whoever_says_nothing_is_not_recorded() {
    let rig = Rig::with(shows(CertificateFlaw::Expired));
    drop(rig.tcp(Linktree).await);
    rig.connect(Linktree, true).await.unwrap_err();
    rig.handshakes(1).await;
    rig.mock.stop();
}
