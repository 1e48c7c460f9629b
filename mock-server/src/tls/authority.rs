//! A run's own authority, and the certificates that its servers show: a good one and bad ones.
//!
//! Keys are drawn from the system and not from the seed: nothing of them is in a plan or a history,
//! and a key that a seed decides would be no secret.

use crate::clock::Clock;
use crate::faults::CertificateFlaw;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{ToSpan as _, Zoned};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use std::fmt;
use std::sync::Arc;
use tokio_rustls::rustls;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::NoServerSessionStorage;

/// Whom a certificate for somebody else names: reserved by RFC 2606 and RFC 5737.
const SOMEBODY_ELSE: [&str; 2] = ["api.example.org", "192.0.2.1"];

/// Days before today and after it between which a certificate is good.
const GOOD_DAYS: [i64; 2] = [-30, 30];
/// Those of one that has expired, whatever zone the client's clock is in.
const EXPIRED_DAYS: [i64; 2] = [-90, -2];

/// A certificate authority that exists for one run, and what it has signed.
pub struct Authority {
    pem: String,
    good: Arc<ServerConfig>,
    expired: Arc<ServerConfig>,
    wrong_host: Arc<ServerConfig>,
    unknown: Arc<ServerConfig>,
}

// A derived `Debug` could print keys into whatever log asks for it.
impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A key or a certificate could not be made.
    #[error("failed to make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// What was made cannot be served.
    #[error("failed to use a certificate: {0}")]
    Server(#[from] rustls::Error),
    /// Its dates lie outside of the calendar.
    #[error("failed to date a certificate: {0}")]
    Date(#[from] jiff::Error),
}

impl Authority {
    /// A fresh authority, whose servers are called by these names and addresses.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`] when a name cannot stand in a certificate, or the system has no randomness.
    pub fn new(hosts: &[&str]) -> Result<Self, AuthorityError> {
        let own = Signer::new("Windthrow, for one run")?;
        let stranger = Signer::new("Nobody whom this run trusts")?;
        Ok(Self {
            good: own.server(hosts, GOOD_DAYS)?,
            expired: own.server(hosts, EXPIRED_DAYS)?,
            wrong_host: own.server(&SOMEBODY_ELSE, GOOD_DAYS)?,
            unknown: stranger.server(hosts, GOOD_DAYS)?,
            pem: own.pem,
        })
    }

    /// The authority's own certificate, as clients that shall trust it read it from a file.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// What a server shows: the good certificate, or one with this flaw.
    pub(super) fn server(&self, flaw: Option<CertificateFlaw>) -> Arc<ServerConfig> {
        let config = match flaw {
            None => &self.good,
            Some(CertificateFlaw::Expired) => &self.expired,
            Some(CertificateFlaw::WrongHost) => &self.wrong_host,
            Some(CertificateFlaw::UnknownAuthority) => &self.unknown,
        };
        Arc::clone(config)
    }
}

/// Whoever signs certificates.
struct Signer {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Signer {
    fn new(name: &str) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = valid(CertificateParams::default(), [-100, 365])?;
        params.distinguished_name = called(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = pem(params.self_signed(&key)?.der());
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    fn server(&self, hosts: &[&str], days: [i64; 2]) -> Result<Arc<ServerConfig>, AuthorityError> {
        let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        let key = KeyPair::generate()?;
        let mut params = valid(CertificateParams::new(hosts)?, days)?;
        params.distinguished_name = called("The assumed Linktree");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Python's strict checks (3.13) ask for it.
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

/// The same, valid from and until so many days from today.
fn valid(
    mut params: CertificateParams,
    [from, until]: [i64; 2],
) -> Result<CertificateParams, AuthorityError> {
    let today = Zoned::try_from(Clock::wall())?.date();
    let day = |days: i64| {
        let date = today.checked_add(days.days())?;
        let [month, day] = [date.month(), date.day()].map(|part| part.unsigned_abs());
        Ok::<_, jiff::Error>(date_time_ymd(date.year().into(), month, day))
    };
    (params.not_before, params.not_after) = (day(from)?, day(until)?);
    Ok(params)
}

/// RFC 7468.
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem + "-----END CERTIFICATE-----\n"
}
