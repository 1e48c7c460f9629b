//! The public port: accepts connections, and owns what they share.
//!
//! The edge lives on a thread of its own with a current-thread runtime, so that nothing else that
//! is busy delays its time stamps. wiremock decides; the edge acts and records.

mod act;
mod body;
mod client;
mod connection;
mod head;
mod open;
mod scan;
#[cfg(test)]
mod tests;
mod tuning;
mod upstream;

pub(crate) use tuning::Tuning;

use crate::clock::{Clock, Moment};
use crate::record::{Overload, Record, Recorder};
use crate::routes::Shared;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use upstream::Upstream;

/// The queue of connections that wait to be accepted; the default of 128 costs a burst a second.
const BACKLOG: u32 = 4096;

/// One word of overload a second for each cause is enough.
const OVERLOAD_PAUSE: Duration = Duration::from_secs(1);

/// How long to wait before accepting again after a failure such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// How much is going on at present.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    connections: AtomicUsize,
    in_flight: AtomicUsize,
}

impl Gauges {
    /// Open connections.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    /// Requests from the end of their head to the end of their answer.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }
}

/// What an edge needs from outside.
pub(crate) struct Settings {
    pub port: u16,
    pub clock: Clock,
    pub recorder: Arc<dyn Recorder>,
    pub shared: Arc<Shared>,
    pub probes: Arc<AtomicU64>,
    pub gauges: Arc<Gauges>,
    pub tuning: Tuning,
}

/// What the connections share; all on one thread.
struct Edge {
    clock: Clock,
    recorder: Arc<dyn Recorder>,
    shared: Arc<Shared>,
    probes: Arc<AtomicU64>,
    gauges: Arc<Gauges>,
    tuning: Tuning,
    upstream: Upstream,
    complaints: RefCell<HashMap<String, Moment>>,
}

impl Edge {
    fn next_exchange(&self) -> u64 {
        self.probes.fetch_add(1, Ordering::AcqRel)
    }

    fn overload(&self, what: &str) {
        let now = self.clock.now();
        let mut complaints = self.complaints.borrow_mut();
        let due = complaints.get(what).is_none_or(|last| now.since(*last) >= OVERLOAD_PAUSE);
        if due {
            complaints.insert(what.to_owned(), now);
            tracing::warn!(what, "the mock is overloaded");
            let overload = Overload { at: now, what: what.to_owned() };
            self.recorder.record(Record::Overload(overload));
        }
    }

    /// Replaces wiremock when it has kept enough requests.
    fn renew_upstream(self: &Rc<Self>) {
        if self.upstream.is_full() {
            let edge = Rc::clone(self);
            tokio::task::spawn_local(async move {
                match edge.upstream.swap().await {
                    Ok(()) => tracing::debug!(swaps = edge.upstream.swaps(), "replaced wiremock"),
                    Err(error) => edge.overload(&format!("wiremock was not replaced: {error}")),
                }
            });
        }
    }
}

/// Binds the public port on loopback.
fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // A port that the last run left a moment ago can be had at once; one in use still cannot.
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
    socket.listen(BACKLOG)
}

/// An edge that listens but does not serve yet.
pub(crate) struct Bound {
    listener: TcpListener,
    edge: Rc<Edge>,
}

/// Binds the port and starts wiremock behind it.
pub(crate) async fn bind(settings: Settings) -> io::Result<Bound> {
    let Settings { port, clock, recorder, shared, probes, gauges, tuning } = settings;
    let listener = listen(port)?;
    let upstream = Upstream::start(Arc::clone(&shared), &tuning).await?;
    let edge = Rc::new(Edge {
        clock,
        recorder,
        shared,
        probes,
        gauges,
        tuning,
        upstream,
        complaints: RefCell::default(),
    });
    Ok(Bound { listener, edge })
}

impl Bound {
    pub fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Accepts until told to stop. Connections go on in local tasks; dropping these records what
    /// is still open.
    pub async fn serve(self, mut stop: oneshot::Receiver<()>) {
        let Self { listener, edge } = self;
        for conn in 0.. {
            let stream = loop {
                let accepted = tokio::select! {
                    _ = &mut stop => return,
                    accepted = listener.accept() => accepted,
                };
                match accepted {
                    Ok((stream, _)) => break stream,
                    Err(error) => {
                        edge.overload(&format!("failed to accept a connection: {error}"));
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            };
            if edge.gauges.connections() >= edge.tuning.connections {
                edge.overload("too many connections at once");
                continue;
            }
            // Without it, small answers wait for the client's acknowledgement.
            let _ = stream.set_nodelay(true);
            let counted = Counted::new(&edge);
            let edge = Rc::clone(&edge);
            tokio::task::spawn_local(async move {
                let _counted = counted;
                connection::serve(edge, stream, conn).await;
            });
        }
    }
}

/// Counts a connection for as long as it lives.
struct Counted(Rc<Edge>);

impl Counted {
    fn new(edge: &Rc<Edge>) -> Self {
        edge.gauges.connections.fetch_add(1, Ordering::AcqRel);
        Self(Rc::clone(edge))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.gauges.connections.fetch_sub(1, Ordering::AcqRel);
    }
}
