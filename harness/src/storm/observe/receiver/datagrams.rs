//! Datagrams of DogStatsD, read by a thread that does nothing else: what nobody reads in time is thrown away
//! by the system, which is asked how much that was.

use super::Heard;
use crate::metrics::dogstatsd;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// As much as a datagram can hold.
const LARGEST: usize = 65_535;
/// What may wait to be read, as far as the system grants it.
const WAITING: usize = 8 << 20;
/// How often the thread looks whether it is to end.
const PATIENCE: Duration = Duration::from_millis(50);

/// A thread that listens until this is dropped.
pub(super) struct Listening {
    port: u16,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

pub(super) fn listen(
    (host, port): (IpAddr, u16),
    heard: Arc<Heard>,
) -> io::Result<(u16, Listening)> {
    let address = SocketAddr::new(host, port);
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_recv_buffer_size(WAITING)?;
    socket.bind(&address.into())?;
    let socket: UdpSocket = socket.into();
    socket.set_read_timeout(Some(PATIENCE))?;
    let port = socket.local_addr()?.port();
    let ended = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&ended);
    let thread = std::thread::Builder::new().name("dogstatsd".to_owned());
    let thread = thread.spawn(move || read(&socket, &heard, &until))?;
    Ok((port, Listening { port, ended, thread: Some(thread) }))
}

fn read(socket: &UdpSocket, heard: &Heard, ended: &AtomicBool) {
    let mut buffer = vec![0; LARGEST];
    while !ended.load(Ordering::Relaxed) {
        // Whatever the system says, such as that a port was closed, the next datagram is another one.
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        if heard.listen.admits(from.ip()) {
            let datagram = &buffer[..length];
            heard.search.pushed(datagram, heard.channel.name());
            let now = heard.clock.now();
            dogstatsd::take(datagram, now, &mut heard.series());
        }
    }
}

impl Listening {
    /// Datagrams that the system has thrown away unread, where it says so.
    pub fn lost(&self) -> u64 {
        let tables = ["/proc/net/udp", "/proc/net/udp6"].map(std::fs::read_to_string);
        tables.iter().flatten().map(|table| dropped(table, self.port)).sum()
    }
}

/// The last column of the socket's line (proc(5)).
fn dropped(table: &str, port: u16) -> u64 {
    let own = format!(":{port:04X}");
    let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let lines = lines.filter(|line| line.get(1).is_some_and(|local| local.ends_with(&own)));
    lines.filter_map(|line| line.last()?.parse::<u64>().ok()).sum()
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // It has nothing to say.
        self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_thrown_away_stands_in_the_last_column_of_the_ports_own_line() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
             1: 0100007F:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 1 2 0 17\n\
             2: 0100007F:1FBE 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 1 2 0 5\n";
        assert_eq!([8_125, 8_126, 8_127].map(|port| dropped(table, port)), [17, 5, 0]);
    }
}
