//! The listening socket, which the plan may close for a while: connections are then refused.

use super::open::{OpenExchange, blank};
use super::{BACKLOG, Edge};
use crate::clock::Moment;
use crate::faults::FaultMark;
use crate::history::exchange::End;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How long to wait before accepting again after a failure such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The way in, open or closed.
pub(super) struct Listener {
    socket: Option<TcpListener>,
    address: SocketAddr,
    connections: u64,
}

/// What the plan says of connections just now.
struct Order {
    /// Refuse them, by these rules.
    refuse: Option<Vec<FaultMark>>,
    /// Until then, or until the plan changes.
    until: Option<Moment>,
}

impl Listener {
    /// Listens on the public port; 0 for any.
    pub fn open(host: IpAddr, port: u16) -> io::Result<Self> {
        let socket = bound(SocketAddr::new(host, port))?.listen(BACKLOG)?;
        Ok(Self { address: socket.local_addr()?, socket: Some(socket), connections: 0 })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection and its number. Meanwhile it closes and opens as the plan says.
    /// Dropping this future while it waits is right only at the very end: it forgets a refusal.
    pub async fn next(&mut self, edge: &Rc<Edge>) -> (u64, TcpStream) {
        loop {
            let order = order(edge);
            if let Some(marks) = order.refuse {
                self.refuse(edge, marks).await;
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

    /// Listens to nobody until the plan says otherwise. The port stays bound, so that nobody else
    /// gets it. Who was waiting to be accepted is reset.
    async fn refuse(&mut self, edge: &Rc<Edge>, marks: Vec<FaultMark>) {
        self.socket = None;
        let socket = bound(self.address);
        let conn = self.number();
        let mut open = OpenExchange::new(edge, blank(edge.next_exchange(), conn, 0));
        let exchange = &mut open.exchange;
        let closed = edge.clock.now();
        (exchange.t_conn, exchange.t_head, exchange.t_req) = (closed, closed, closed);
        exchange.faults = marks;
        loop {
            let order = order(edge);
            let Some(marks) = order.refuse else { break };
            for mark in marks {
                if !open.exchange.faults.contains(&mark) {
                    open.exchange.faults.push(mark);
                }
            }
            change(edge, order.until).await;
        }
        self.listen_again(edge, socket).await;
        open.finish(End::ServerReset);
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
        return Order { refuse: None, until: world.moment(0) };
    };
    match engine.refusal(now) {
        Some((until, marks)) => Order { refuse: Some(marks), until: world.moment(until) },
        None => {
            let next = engine.next_refusal(now);
            Order { refuse: None, until: next.and_then(|ms| world.moment(ms)) }
        }
    }
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
