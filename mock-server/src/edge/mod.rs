//! The public port: accepts connections, and owns what they share.
//!
//! The edge lives on a thread of its own with a current-thread runtime, so that nothing else that
//! is busy delays its time stamps. wiremock decides, but for what takes microseconds, which the edge decides
//! by the same guards; the edge acts and records.

mod act;
mod alarm;
mod backend;
mod body;
mod breaking;
mod client;
mod connection;
mod direct;
mod fields;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod head;
mod listener;
mod message;
mod open;
mod pipe;
#[cfg(test)]
mod privacy;
mod scan;
mod secured;
#[cfg(test)]
mod tests;
mod tuning;
mod upstream;

pub(crate) use tuning::Tuning;

use crate::clock::Clock;
use crate::contract::Listener as Server;
use crate::faults::{Effect, FaultMark};
use crate::history::record::Recorder;
use crate::listen::Peers;
use crate::overload::Overloads;
use crate::routes::Shared;
use crate::serving::places::Places;
use crate::tls::Tls;
use breaking::Breaking;
use direct::Direct;
use listener::Listener;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::sync::{oneshot, watch};
use upstream::Upstream;

/// The queue of connections that wait to be accepted; the default of 128 costs a burst a second.
const BACKLOG: u32 = 4096;

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
pub(crate) struct EdgeConfig {
    pub host: IpAddr,
    pub port: u16,
    /// Who may connect.
    pub peers: Arc<Peers>,
    /// Turns true when no more connections shall be accepted.
    pub draining: watch::Receiver<bool>,
    pub clock: Clock,
    pub recorder: Arc<dyn Recorder>,
    pub shared: Arc<Shared>,
    pub probes: Arc<AtomicU64>,
    pub gauges: Arc<Gauges>,
    pub tuning: Tuning,
    /// How to encrypt, if that is what the port does.
    pub tls: Option<Arc<Tls>>,
}

/// What the connections share; all on one thread.
struct Edge {
    peers: Arc<Peers>,
    draining: watch::Receiver<bool>,
    clock: Clock,
    recorder: Arc<dyn Recorder>,
    shared: Arc<Shared>,
    probes: Arc<AtomicU64>,
    gauges: Arc<Gauges>,
    tuning: Tuning,
    direct: Direct,
    upstream: Upstream,
    overloads: Overloads,
    tls: Option<Arc<Tls>>,
    breaking: Breaking,
}

impl Edge {
    fn next_exchange(&self) -> u64 {
        self.probes.fetch_add(1, Ordering::AcqRel)
    }

    /// Whether each connection shall end with the exchange that it is at.
    fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// What a rule does to the connection that was accepted just now.
    fn connection_fault(&self) -> Option<(Effect, FaultMark)> {
        let since_armed = self.shared.world.ms_since_armed(self.clock.now());
        self.shared.engine.connection(Server::Linktree, since_armed)
    }

    /// Whether a request must have a connection of its own just now, to meet what happens in handshakes.
    fn hits_handshakes(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.hits_handshakes(Server::Linktree))
    }

    /// Replaces wiremock when it has kept enough requests.
    fn renew_upstream(self: &Rc<Self>) {
        if self.upstream.is_full() {
            let edge = Rc::clone(self);
            tokio::task::spawn_local(async move {
                match edge.upstream.swap().await {
                    Ok(()) => tracing::debug!(swaps = edge.upstream.swaps(), "replaced wiremock"),
                    Err(error) => {
                        edge.overloads.say(&format!("wiremock was not replaced: {error}"))
                    }
                }
            });
        }
    }
}

/// An edge that listens but does not serve yet.
pub(crate) struct Bound {
    listener: Listener,
    edge: Rc<Edge>,
}

/// Binds the port and starts wiremock behind it.
pub(crate) async fn bind(settings: EdgeConfig) -> io::Result<Bound> {
    let EdgeConfig {
        host,
        port,
        peers,
        draining,
        clock,
        recorder,
        shared,
        probes,
        gauges,
        tuning,
        tls,
    } = settings;
    let listener = Listener::open(host, port)?;
    let direct = Direct::new(&shared);
    let upstream = Upstream::start(Arc::clone(&shared), &tuning).await?;
    let overloads = Overloads::new(clock, Arc::clone(&recorder));
    let edge = Rc::new(Edge {
        peers,
        draining,
        clock,
        recorder,
        shared,
        probes,
        gauges,
        tuning,
        direct,
        upstream,
        overloads,
        tls,
        breaking: Breaking::default(),
    });
    Ok(Bound { listener, edge })
}

impl Bound {
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Accepts until it is stopped. Connections go on in local tasks; dropping these records what
    /// is still open.
    pub async fn serve(self, mut stop: oneshot::Receiver<()>) {
        let Self { mut listener, edge } = self;
        let mut draining = edge.draining.clone();
        let places = Places::of(edge.tuning.connections);
        loop {
            let (conn, stream) = tokio::select! {
                _ = &mut stop => return,
                Ok(_) = draining.wait_for(|draining| *draining) => break,
                accepted = listener.next(&edge) => accepted,
            };
            // Whoever asks for nothing gives way: first who never has, then who has not for longest.
            let (place, was_full) = places.take();
            if was_full {
                edge.overloads.say("too many connections at once");
            }
            let Some(place) = place else { continue };
            // Without it, small answers wait for the client's acknowledgement.
            let _ = stream.set_nodelay(true);
            let counted = Counted::new(&edge);
            let fault = edge.connection_fault();
            let mut fate = edge.breaking.fate();
            let edge = Rc::clone(&edge);
            tokio::task::spawn_local(async move {
                let _counted = counted;
                let claim = Arc::clone(&place.claim);
                let served = async {
                    match fault {
                        Some(fault) if !fault.0.is_of_tls() => {
                            let _met = claim.holds();
                            let broken_off = act::break_off(edge, stream, conn, fault);
                            let _ = fate.unless_broken(broken_off).await;
                        }
                        fault => secured::serve(edge, stream, conn, fault, fate, &claim).await,
                    }
                };
                tokio::select! {
                    biased;
                    () = place.claim.gives_way() => {}
                    () = served => {}
                }
            });
        }
        drop(listener);
        let _ = stop.await;
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
