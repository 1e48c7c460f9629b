//! A port for the integration that nothing else takes while it is down, and whether it refuses then.
//!
//! The kernel gives outgoing connections ports of its own range. Were the integration's port among
//! them, a visitor's connection could have it when the integration comes back after a kill, or a
//! visitor could even connect to itself meanwhile (simultaneous open, RFC 9293 section 3.5).

use super::tree;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;

/// Where the range of outgoing connections stands on Linux.
const OUTGOING: &str = "/proc/sys/net/ipv4/ip_local_port_range";
/// Below are ports of well-known and many registered services.
const LOWEST: u16 = 10_000;

/// A port that was free a moment ago, outside of the range of outgoing connections if possible.
///
/// # Errors
///
/// When no port can be bound at all.
pub fn free_port() -> io::Result<u16> {
    let outgoing = std::fs::read_to_string(OUTGOING).ok().and_then(|text| range(&text));
    let candidates = outgoing.map_or(LOWEST..LOWEST, |range| LOWEST..range.start);
    let count = candidates.len();
    // Every process begins to look somewhere else, and every time one further on: until the
    // integration has bound it, a port looks free to others, too.
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let first = std::process::id() as usize * 7_919 + ASKED.fetch_add(1, Ordering::Relaxed);
    let nth = |n: usize| candidates.clone().nth((first + n) % count);
    match (0..count).filter_map(nth).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()) {
        Some(port) => Ok(port),
        None => Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port()),
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

/// Who listens on a port: processes whose open files may be seen, with their command lines.
#[must_use]
pub fn listeners(port: u16) -> Vec<(u32, String)> {
    let tables = ["tcp", "tcp6"].map(|name| format!("/proc/net/{name}"));
    let tables = tables.map(|table| std::fs::read_to_string(table).unwrap_or_default());
    let sockets: Vec<String> = tables.iter().flat_map(|table| listening(table, port)).collect();
    let holds = |pid: &u32| {
        let files = std::fs::read_dir(tree::file(*pid, "fd")).into_iter().flatten().flatten();
        let mut links = files.filter_map(|file| std::fs::read_link(file.path()).ok());
        links.any(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str()))
    };
    let mut pids: Vec<u32> = tree::all_processes().into_keys().filter(holds).collect();
    pids.sort_unstable();
    pids.into_iter().map(|pid| (pid, tree::command(pid))).collect()
}

/// The sockets of a table of proc(5) that listen on this port, as links to them read.
fn listening(table: &str, port: u16) -> Vec<String> {
    let end = format!(":{port:04X}");
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // Fields 2, 4 and 10: the local address, the state, of which 0A is LISTEN, and the inode.
        let &[_, local, _, "0A", _, _, _, _, _, inode, ..] = fields.as_slice() else { return None };
        local.ends_with(&end).then(|| format!("socket:[{inode}]"))
    };
    table.lines().filter_map(socket).collect()
}

fn range(text: &str) -> Option<Range<u16>> {
    let mut bounds = text.split_whitespace().map(str::parse);
    let (first, last) = (bounds.next()?.ok()?, bounds.next()?.ok()?);
    (first <= last).then_some(first..last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_can_be_bound_and_is_outside_of_the_range_where_there_is_room() {
        let port = free_port().unwrap();
        assert!(TcpListener::bind(("127.0.0.1", port)).is_ok());
        let outgoing = std::fs::read_to_string(OUTGOING).ok().and_then(|text| range(&text));
        assert!(outgoing.is_none_or(|range| range.start <= LOWEST || !range.contains(&port)));
    }

    #[test]
    fn a_port_in_use_is_passed_over() {
        let port = free_port().unwrap();
        let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
        assert_ne!(free_port().unwrap(), port);
    }

    #[test]
    fn the_kernels_range_is_read() {
        assert_eq!(range("32768\t60999\n"), Some(32_768..60_999));
        assert_eq!(range("nonsense"), None);
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

    #[test]
    fn only_listeners_of_the_port_are_read_from_the_kernels_table() {
        let line = |local: &str, state: &str, inode: &str| {
            format!(
                " 0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 0 0 0 {inode} 1"
            )
        };
        let table = [
            "sl local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt uid t inode"
                .into(),
            line("0100007F:0FAA", "0A", "11"),
            line("0100007F:0FAA", "01", "12"),
            line("0100007F:1FAA", "0A", "13"),
        ];
        assert_eq!(listening(&table.join("\n"), 4010), ["socket:[11]"]);
    }
}
