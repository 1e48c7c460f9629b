//! The listening socket, which the plan may shut for a while: connections are then refused, or not even
//! answered.

use super::open::{OpenExchange, blank};
use super::{BACKLOG, Edge};
use crate::clock::Moment;
use crate::faults::engine::PortOrder;
use crate::faults::{FaultMark, Shut};
use crate::history::exchange::End;
use socket2::SockRef;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How long to wait before accepting again after a failure such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A handshake on this machine is answered at once, or it was dropped.
const DROPPED_AFTER: Duration = Duration::from_millis(50);

/// A queue of length 0 holds one connection on Linux, and a few elsewhere.
const MOST_OWN: usize = 16;

/// The way in, open or closed.
pub(super) struct Listener {
    socket: Option<TcpListener>,
    address: SocketAddr,
    connections: u64,
    /// Who came in while the queue was full of the mock's own connections.
    early: VecDeque<TcpStream>,
}

/// What the plan says of the port just now.
struct Order {
    shut: Option<Shut>,
    marks: Vec<FaultMark>,
    /// Until then, or until the plan changes.
    until: Option<Moment>,
}

impl Listener {
    /// Listens on the public port; 0 for any.
    pub fn open(host: IpAddr, port: u16) -> io::Result<Self> {
        let socket = bound(SocketAddr::new(host, port))?.listen(BACKLOG)?;
        let (address, socket) = (socket.local_addr()?, Some(socket));
        Ok(Self { socket, address, connections: 0, early: VecDeque::new() })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection and its number. Meanwhile it shuts and opens as the plan says.
    /// Dropping this future while it waits is right only at the very end: it forgets that it is shut.
    pub async fn next(&mut self, edge: &Rc<Edge>) -> (u64, TcpStream) {
        loop {
            let order = order(edge);
            if let Some(how) = order.shut {
                self.keep_out(edge, how, order.marks).await;
            }
            if let Some(stream) = self.early.pop_front() {
                return (self.number(), stream);
            }
            let Some(socket) = &self.socket else {
                self.listen_again(edge, bound(self.address)).await;
                continue;
            };
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                () = change(edge, order.until) => continue,
            };
            match accepted {
                Ok((stream, from)) if edge.peers.admit(from) => return (self.number(), stream),
                Ok(_) => {}
                Err(error) => {
                    edge.overloads.say(&format!("failed to accept a connection: {error}"));
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.connections += 1;
        self.connections - 1
    }

    /// Lets nobody in until the plan says otherwise, and breaks off who is in. The port stays bound, so
    /// that nobody else gets it.
    async fn keep_out(&mut self, edge: &Rc<Edge>, how: Shut, marks: Vec<FaultMark>) {
        edge.breaking.break_all(&marks);
        let gate = match how {
            // Who was waiting to be accepted is reset.
            Shut::Refused => {
                self.socket = None;
                Gate::Closed(bound(self.address))
            }
            Shut::Unanswered => Gate::Full(self.fill(edge).await),
        };
        let conn = self.number();
        let mut open = OpenExchange::new(edge, blank(edge.next_exchange(), conn, 0));
        let exchange = &mut *open;
        let shut = edge.clock.now();
        (exchange.t_conn, exchange.t_head, exchange.t_req) = (shut, shut, shut);
        exchange.faults = marks;
        loop {
            let order = order(edge);
            if order.shut != Some(how) {
                break;
            }
            for mark in order.marks {
                if !open.faults.contains(&mark) {
                    open.faults.push(mark);
                }
            }
            change(edge, order.until).await;
        }
        match gate {
            Gate::Closed(socket) => self.listen_again(edge, socket).await,
            Gate::Full(own) => self.empty(edge, own).await,
        }
        open.finish(End::ServerReset);
    }

    /// Fills the queue of who waits to be accepted with connections of its own, until the kernel drops
    /// the next handshake.
    async fn fill(&self, edge: &Edge) -> Vec<TcpStream> {
        let mut own = Vec::new();
        let Some(socket) = &self.socket else { return own };
        let full = async {
            // Listening again changes the length of the queue, and nothing else.
            SockRef::from(socket).listen(0)?;
            while own.len() < MOST_OWN {
                match tokio::time::timeout(DROPPED_AFTER, TcpStream::connect(self.reached())).await
                {
                    Ok(connected) => own.push(connected?),
                    Err(_) => return Ok(()),
                }
            }
            Err(io::Error::other("this system answers handshakes beyond the queue's length"))
        };
        if let Err(error) = full.await {
            edge.overloads.say(&format!("failed to keep connections out: {error}"));
        }
        own
    }

    /// Takes its own connections out of the queue, and whoever got in between.
    async fn empty(&mut self, edge: &Edge, own: Vec<TcpStream>) {
        let Some(socket) = &self.socket else { return };
        let mine: Vec<_> = own.iter().filter_map(|stream| stream.local_addr().ok()).collect();
        for _ in 0..own.len() {
            match tokio::time::timeout(DROPPED_AFTER, socket.accept()).await {
                Ok(Ok((stream, from))) if !mine.contains(&from) && edge.peers.admit(from) => {
                    self.early.push_back(stream);
                }
                // Its own, or gone, or nobody that may connect.
                _ => {}
            }
        }
        let backlog = i32::try_from(BACKLOG).unwrap_or(i32::MAX);
        if let Err(error) = SockRef::from(socket).listen(backlog) {
            edge.overloads.say(&format!("failed to listen as before: {error}"));
        }
    }

    /// Where it is reached from this machine.
    fn reached(&self) -> SocketAddr {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            let here: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            address.set_ip(here[usize::from(address.is_ipv6())]);
        }
        address
    }

    async fn listen_again(&mut self, edge: &Edge, mut socket: io::Result<TcpSocket>) {
        while self.socket.is_none() {
            match socket.and_then(|socket| socket.listen(BACKLOG)) {
                Ok(listening) => self.socket = Some(listening),
                Err(error) => {
                    edge.overloads.say(&format!("failed to listen again: {error}"));
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
            socket = bound(self.address);
        }
    }
}

/// What keeps everybody out.
enum Gate {
    /// A socket that does not listen.
    Closed(io::Result<TcpSocket>),
    /// The mock's own connections, which fill the queue.
    Full(Vec<TcpStream>),
}

/// A socket on an address, not listening yet.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port that the last run left a moment ago can be had at once; one in use still cannot.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn order(edge: &Edge) -> Order {
    let (world, engine) = (&edge.shared.world, &edge.shared.engine);
    let Some(now) = world.ms_since_armed(edge.clock.now()) else {
        return Order { shut: None, marks: Vec::new(), until: world.moment(0) };
    };
    let PortOrder { shut, marks, until } = engine.port(now);
    Order { shut, marks, until: until.and_then(|ms| world.moment(ms)) }
}

/// Waits for the moment, or for another plan.
async fn change(edge: &Edge, until: Option<Moment>) {
    let due = async {
        match until.filter(|until| *until < Moment(u64::MAX)) {
            Some(until) => tokio::time::sleep_until(edge.clock.instant(until).into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = due => {}
        () = edge.shared.engine.changed() => {}
    }
}
