//! How much the edge bears and how long it waits: one table, with the reason for each number.
//!
//! Durations are real time and never scale: they bound what a broken or hostile client may cost,
//! and are no part of the contract. A fault that waits by design (a stall, a hold) is not bounded
//! by them; it ends when the client leaves.

use std::time::Duration;

/// The table. No user needs to change it; tests do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    /// Most connections at once. Two files for each of them stay well under the usual hard limit
    /// of half a million, and few generators on one machine open more.
    pub connections: usize,
    /// Most requests at once, beyond which the answer is 503.
    pub in_flight: usize,
    /// Most requests that are with wiremock at once; others wait for a place. wiremock decides
    /// one at a time, so that more would not be faster, only cost files and memory.
    pub backend: usize,
    /// Requests before wiremock is replaced: it keeps some KB for each. Measured with lists of links on 32
    /// connections: 34.9 µs of processor time for each request and 17 to 19 MB in all with 2,000, 33.1 µs
    /// and 32 to 35 MB with 10,000.
    pub swap_after: u64,
    /// How long a connection may be silent between requests. A server that closes an idle
    /// connection races the client's next request, and a client would be blamed for what the mock
    /// did. So this is three times the longest default of a common client pool (1,200 s, Java's
    /// before version 20; reqwest and Go 90 s, .NET 60 s).
    pub idle: Duration,
    /// From the first byte of a head to its last, then 408. nginx gives 60 s, Apache 20 to 40.
    pub head: Duration,
    /// The longest silence inside a body, then 408. nginx gives 60 s, Apache 20.
    pub body_silence: Duration,
    /// For a whole body, however steadily it drips: the largest one at 3.5 KB/s; then 408.
    pub body_total: Duration,
    /// How long a client may accept no byte of its answer, then it is reset. nginx gives 60 s.
    pub unread: Duration,
    /// How long a client may go on sending after the mock's last byte, so that what it sends does
    /// not turn into a reset that destroys the answer it has not read (RFC 9112 section 9.6).
    pub linger: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            connections: 10_000,
            in_flight: 8_000,
            backend: 256,
            swap_after: 5_000,
            idle: Duration::from_secs(3_600),
            head: Duration::from_secs(30),
            body_silence: Duration::from_secs(30),
            body_total: Duration::from_secs(300),
            unread: Duration::from_secs(60),
            linger: Duration::from_millis(500),
        }
    }
}
