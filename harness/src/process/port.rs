//! A port for the integration that nothing else takes while it is down, and whether it refuses then.
//!
//! The kernel gives outgoing connections ports of its own range. Were the integration's port among
//! them, a visitor's connection could have it when the integration comes back after a kill, or a
//! visitor could even connect to itself meanwhile (simultaneous open, RFC 9293 section 3.5).

use super::{system, tree};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;

/// Below are ports of well-known and many registered services.
const LOWEST: u16 = 10_000;

/// A port of loopback that was free a moment ago, outside of the range of outgoing connections if possible.
///
/// # Errors
///
/// When no port can be bound at all.
pub fn free_port() -> io::Result<u16> {
    free_port_of(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// The same for another address; one that is not this machine's is as free as loopback.
///
/// # Errors
///
/// When no port can be bound at all.
pub fn free_port_of(host: IpAddr) -> io::Result<u16> {
    let own = TcpListener::bind((host, 0)).is_ok();
    let host = if own { host } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
    let candidates = system::outgoing_ports().map_or(LOWEST..LOWEST, |range| LOWEST..range.start);
    let count = candidates.len();
    // Every process begins to look somewhere else, and every time one further on: until the
    // integration has bound it, a port looks free to others, too.
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let first = std::process::id() as usize * 7_919 + ASKED.fetch_add(1, Ordering::Relaxed);
    let nth = |n: usize| candidates.clone().nth((first + n) % count);
    match (0..count).filter_map(nth).find(|port| TcpListener::bind((host, *port)).is_ok()) {
        Some(port) => Ok(port),
        None => Ok(TcpListener::bind((host, 0))?.local_addr()?.port()),
    }
}

/// How long the kernel may take to close what an ended process listened on.
const CLOSED_WITHIN: Duration = Duration::from_millis(500);
/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// Whether an address refuses connections, now or in a moment.
pub async fn refuses(address: SocketAddr) -> bool {
    let until_refused = async {
        while !is_refused(TcpStream::connect(address).await) {
            tokio::time::sleep(ASK_EVERY).await;
        }
    };
    tokio::time::timeout(CLOSED_WITHIN, until_refused).await.is_ok()
}

fn is_refused(connected: io::Result<TcpStream>) -> bool {
    matches!(connected, Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Who listens on a port, as far as the system says it, with their command lines.
#[must_use]
pub fn listeners(port: u16) -> Vec<(u32, String)> {
    system::listeners(port).into_iter().map(|pid| (pid, tree::command(pid))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_can_be_bound_and_is_outside_of_the_range_where_there_is_room() {
        let port = free_port().unwrap();
        assert!(TcpListener::bind(("127.0.0.1", port)).is_ok());
        assert!(
            system::outgoing_ports()
                .is_none_or(|range| range.start <= LOWEST || !range.contains(&port))
        );
    }

    #[test]
    fn a_port_in_use_is_passed_over() {
        let port = free_port().unwrap();
        let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
        assert_ne!(free_port().unwrap(), port);
    }

    #[tokio::test]
    async fn a_port_refuses_once_nobody_listens_and_whoever_listens_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(!refuses(address).await);
        let named = listeners(address.port());
        assert!(named.iter().any(|(pid, _)| *pid == std::process::id()), "{named:?}");
        drop(listener);
        assert!(refuses(address).await);
        assert_eq!(listeners(address.port()), []);
    }
}
