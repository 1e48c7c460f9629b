//! Small servers beside the edge, each on a port of its own: secrets managers and the alert receiver.
//!
//! They keep nothing of a request; what clients can hold is bounded as on all ports (`serving`).

pub mod alerts;
pub mod secrets;

pub use secrets::vault;

use crate::clock::Clock;
use crate::contract::Listener as Server;
use crate::history::record::Recorder;
use crate::keyring::Keyring;
use crate::listen::{Listen, Peers};
use crate::overload::Overloads;
use crate::routes::Shared;
use crate::serving::{self, Bounds, Serving};
use crate::tls::Tls;
use axum::Router;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What the servers beside the edge share with it.
pub(crate) struct ServiceContext {
    pub shared: Arc<Shared>,
    pub clock: Clock,
    pub recorder: Arc<dyn Recorder>,
    /// The address of all of them, which is the edge's.
    pub listen: Listen,
    /// Who may connect.
    pub peers: Arc<Peers>,
    /// How to encrypt, if that is what they do.
    pub tls: Option<Arc<Tls>>,
}

impl ServiceContext {
    pub fn keys(&self) -> &Keyring {
        &self.shared.world.keys
    }
}

/// Serves on any port for as long as the runtime lives, and says the address. A secrets manager has a name
/// of its own, beside what all of them are.
///
/// # Errors
///
/// The operating system's word when no port could be had.
pub(crate) async fn serve(
    context: &ServiceContext,
    (server, name): (Server, &'static str),
    port: u16,
    router: Router,
    bounds: Bounds,
) -> io::Result<String> {
    // In words: the kind alone would be taken for the mock's own port.
    let refused = |error| io::Error::other(format!("the {name} on port {port}: {error}"));
    let listener = TcpListener::bind((context.listen.host, port)).await.map_err(refused)?;
    let url = context.listen.url(listener.local_addr()?.port(), context.tls.is_some());
    let overloads = Overloads::new(context.clock, Arc::clone(&context.recorder));
    // It is closed when the runtime ends.
    let (open, closing) = watch::channel(false);
    let peers = Arc::clone(&context.peers);
    let tls = context.tls.clone().map(|tls| (server, tls));
    let serving = Serving { name, bounds, overloads, peers, tls, closing };
    tokio::spawn(async move {
        serving::serve(listener, router, serving).await;
        drop(open);
    });
    Ok(url)
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::faults::engine::Engine;
    use crate::history::record::Record;
    use crate::profile::ContractProfile;
    use crate::rendezvous::Rendezvous;
    use crate::world::World;
    use crate::world::population::Population;
    use std::sync::Mutex;

    /// A recorder that keeps everything.
    #[derive(Default)]
    pub(crate) struct Tape(pub Mutex<Vec<Record>>);

    impl Recorder for Tape {
        fn record(&self, record: Record) {
            self.0.lock().unwrap().push(record);
        }
    }

    pub(crate) fn context() -> (Arc<ServiceContext>, Arc<Tape>) {
        let tape = Arc::new(Tape::default());
        let profile = ContractProfile::linktree_v1();
        let shared = Arc::new(Shared {
            engine: Engine::new(7, vec![]).unwrap(),
            world: World::new(profile, 1, 7, Population::default(), vec![]),
            rendezvous: Rendezvous::default(),
            holds: crate::faults::holds::Holds::default(),
            own: Vec::new(),
        });
        let recorder = Arc::clone(&tape) as Arc<dyn Recorder>;
        shared.world.keys.open_vault_with("vault-token");
        let (clock, listen, peers) = (Clock::start(), Listen::default(), Arc::default());
        let tls = None;
        (Arc::new(ServiceContext { shared, clock, recorder, listen, peers, tls }), tape)
    }
}
