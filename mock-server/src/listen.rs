//! Where the mock listens, what that is called, and whose connections it takes.

pub use ipnet::IpNet;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

/// So many addresses are remembered of those who were turned away.
const REMEMBERED: usize = 8;

/// Where mock, vault and alert receiver listen, what they are called, and who may call them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The address of all of them.
    pub host: IpAddr,
    /// What clients call this machine; without it the address, or loopback where that is every address.
    pub name: Option<String>,
    /// Who may connect, beside this machine; everybody where nobody is named.
    pub peers: Vec<IpNet>,
    /// Where webhooks may go, beside this machine: an address that stands here by itself, and private
    /// addresses (RFC 1918, RFC 4193) of a network. So no network that is named too widely lets a
    /// service send the mock's requests elsewhere.
    pub hooks: Vec<IpNet>,
}

impl Default for Listen {
    /// On loopback, which nobody else can reach.
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            name: None,
            peers: Vec::new(),
            hooks: Vec::new(),
        }
    }
}

impl Listen {
    /// The URL, without a path, of what listens here on this port, and speaks TLS or does not.
    #[must_use]
    pub fn url(&self, port: u16, encrypts: bool) -> String {
        let scheme = scheme(encrypts);
        match &self.name {
            Some(name) if name.contains(':') && !name.starts_with('[') => {
                format!("{scheme}://[{name}]:{port}")
            }
            Some(name) => format!("{scheme}://{name}:{port}"),
            None => named(SocketAddr::new(self.host, port), encrypts),
        }
    }

    /// Whether whoever calls from there may be heard.
    #[must_use]
    pub fn admits(&self, from: IpAddr) -> bool {
        is_among(&self.peers, from.to_canonical())
    }

    /// All that clients may call what listens here, as it stands in certificates.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let unbracketed = |name: &String| name.trim_matches(['[', ']']).to_owned();
        let mut names: Vec<String> = self.name.iter().map(unbracketed).collect();
        names.extend([self.host.to_string(), "127.0.0.1".into(), "::1".into(), "localhost".into()]);
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// The URL of what listens here: loopback, where it listens on every address.
pub(crate) fn named(mut address: SocketAddr, encrypts: bool) -> String {
    if address.ip().is_unspecified() {
        let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        address.set_ip(loopback[usize::from(address.is_ipv6())]);
    }
    format!("{}://{address}", scheme(encrypts))
}

fn scheme(encrypts: bool) -> &'static str {
    if encrypts { "https" } else { "http" }
}

/// A network, such as `172.17.0.0/16`, or one address.
///
/// # Errors
///
/// In words, what is wrong with it.
pub fn network(text: &str) -> Result<IpNet, String> {
    let one = text.parse::<IpAddr>().map(IpNet::from);
    one.or_else(|_| text.parse::<IpNet>())
        .map_err(|_| format!("{text:?} is neither an address nor a network such as 172.17.0.0/16"))
}

/// This machine, and everybody where nobody is named.
fn is_among(named: &[IpNet], ip: IpAddr) -> bool {
    named.is_empty() || ip.is_loopback() || named.iter().any(|net| net.contains(&ip))
}

/// Says at the door who may come in, and remembers who may not.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    named: Vec<IpNet>,
    turned_away: Mutex<BTreeSet<IpAddr>>,
}

impl Peers {
    pub fn of(listen: &Listen) -> Self {
        Self { named: listen.peers.clone(), turned_away: Mutex::default() }
    }

    /// Whether a connection from there is taken; otherwise it is to be closed before it is read.
    pub fn admit(&self, from: SocketAddr) -> bool {
        // Who calls a socket of both families by an old address shows it in the new form.
        let ip = from.ip().to_canonical();
        if is_among(&self.named, ip) {
            return true;
        }
        let mut turned_away = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        if turned_away.len() < REMEMBERED && turned_away.insert(ip) {
            tracing::warn!(%ip, "turned away: it is not among the peers");
        }
        false
    }

    /// Who was turned away, the first few of them.
    pub fn turned_away(&self) -> Vec<IpAddr> {
        let turned_away = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        turned_away.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_can_always_be_called() {
        let check = |host: &str, name: Option<&str>, url: &str| {
            let name = name.map(str::to_owned);
            let listen = Listen { host: host.parse().unwrap(), name, ..Listen::default() };
            assert_eq!(listen.url(80, false), url);
            assert_eq!(listen.url(80, true), url.replace("http:", "https:"));
        };
        check("127.0.0.1", None, "http://127.0.0.1:80");
        check("0.0.0.0", None, "http://127.0.0.1:80");
        check("::", None, "http://[::1]:80");
        check("::1", None, "http://[::1]:80");
        check("10.1.2.3", None, "http://10.1.2.3:80");
        check("0.0.0.0", Some("host.docker.internal"), "http://host.docker.internal:80");
        check("::", Some("fd00::1"), "http://[fd00::1]:80");
        check("::", Some("[fd00::1]"), "http://[fd00::1]:80");
    }

    #[test]
    fn a_certificate_names_whatever_a_client_may_call_it() {
        let check = |host: &str, name: Option<&str>, names: &[&str]| {
            let name = name.map(str::to_owned);
            let listen = Listen { host: host.parse().unwrap(), name, ..Listen::default() };
            assert_eq!(listen.names(), names);
        };
        check("127.0.0.1", None, &["127.0.0.1", "::1", "localhost"]);
        let docker = Some("host.docker.internal");
        let names = ["127.0.0.1", "172.17.0.1", "::1", "host.docker.internal", "localhost"];
        check("172.17.0.1", docker, &names);
        check("::1", Some("[fd00::1]"), &["127.0.0.1", "::1", "fd00::1", "localhost"]);
    }

    #[test]
    fn only_this_machine_and_named_peers_come_in_and_others_are_remembered() {
        let door = |peers: &[&str]| {
            let peers = peers.iter().map(|text| network(text).unwrap()).collect();
            Peers::of(&Listen { peers, ..Listen::default() })
        };
        let admits = |door: &Peers, ip: &str| door.admit(SocketAddr::new(ip.parse().unwrap(), 1));
        assert!(admits(&door(&[]), "203.0.113.9"), "where nobody is named, whoever reaches it");
        let docker = door(&["172.17.0.0/16", "fd00::7"]);
        for ip in
            ["127.0.0.1", "::1", "::ffff:127.0.0.1", "172.17.4.5", "::ffff:172.17.0.2", "fd00::7"]
        {
            assert!(admits(&docker, ip), "{ip}");
        }
        for ip in ["172.18.0.1", "10.0.0.1", "fd00::8", "172.18.0.1"] {
            assert!(!admits(&docker, ip), "{ip}");
        }
        let away = ["10.0.0.1", "172.18.0.1", "fd00::8"].map(|ip| ip.parse::<IpAddr>().unwrap());
        assert_eq!(docker.turned_away(), away);
        for last in 0..20 {
            admits(&docker, &format!("10.0.0.{last}"));
        }
        assert_eq!(docker.turned_away().len(), REMEMBERED);
    }

    #[test]
    fn what_is_no_network_is_named() {
        for wrong in ["", "172.17.0.0/33", "docker", "172.17.0.0/16/8"] {
            assert!(network(wrong).unwrap_err().contains("such as 172.17.0.0/16"), "{wrong}");
        }
    }
}
