//! A port for the integration that nothing else takes while it is down.
//!
//! The kernel gives outgoing connections ports of its own range. Were the integration's port among
//! them, a visitor's connection could have it when the integration comes back after a kill, or a
//! visitor could even connect to itself meanwhile (simultaneous open, RFC 9293 section 3.5).

use std::io;
use std::net::TcpListener;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

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
}
