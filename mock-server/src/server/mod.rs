//! The mock as a whole, and how it starts.

pub mod builder;
mod config;
mod ending;
mod facts;
mod keys;
pub mod rules;
mod steering;

pub(crate) use config::Extras;
pub use config::{MockConfig, MockError};

use crate::clock::Clock;
use crate::contract::{Listener as Server, SecretsManager};
use crate::edge::{self, EdgeConfig, Gauges};
use crate::faults::engine::Engine;
use crate::faults::holds::Holds;
use crate::history::History;
use crate::history::record::Recorder;
use crate::listen::{Listen, Peers};
use crate::rendezvous::Rendezvous;
use crate::routes::Shared;
use crate::server::rules::Rulebook;
use crate::services::alerts::AlertFields;
use crate::services::{self, ServiceContext};
use crate::services::{alerts, secrets};
use crate::serving::Bounds;
use crate::tls::Tls;
use crate::webhooks;
use crate::world::World;
use ending::Running;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use tokio::sync::{oneshot, watch};

/// A running mock. Dropping it stops it, too.
pub struct MockLinktree {
    pub(crate) shared: Arc<Shared>,
    pub(crate) rulebook: Rulebook,
    history: History,
    probes: Arc<AtomicU64>,
    gauges: Arc<Gauges>,
    clock: Clock,
    listen: Listen,
    peers: Arc<Peers>,
    address: SocketAddr,
    encrypts: bool,
    secrets_urls: Urls,
    alerts_url: String,
    vault_token: String,
    draining: watch::Sender<bool>,
    running: Mutex<Option<Running>>,
}

/// Where the secrets managers are.
type Urls = Vec<(SecretsManager, String)>;

struct Started {
    address: SocketAddr,
    secrets_urls: Urls,
    alerts_url: String,
}

impl MockLinktree {
    /// Starts edge, wiremock and services, and returns when they can be called. It blocks for a few
    /// milliseconds, and may be called from synchronous and asynchronous code.
    ///
    /// The recorder gets everything, and [`Self::history`] keeps nothing: a test is better served
    /// by [`Self::builder`].
    ///
    /// # Errors
    ///
    /// [`MockError`] when population or plan cannot be used, or the port cannot be had.
    pub fn start(config: MockConfig) -> Result<Self, MockError> {
        Self::start_with(config, Extras::default())
    }

    /// Starts a mock with another edge than usual.
    #[cfg(test)]
    pub(crate) fn start_tuned(
        config: MockConfig,
        tuning: crate::edge::Tuning,
    ) -> Result<Self, MockError> {
        Self::start_with(config, Extras { tuning, ..Extras::default() })
    }

    pub(crate) fn start_with(config: MockConfig, extras: Extras) -> Result<Self, MockError> {
        let MockConfig {
            profile,
            time_scale,
            seed,
            population,
            world,
            rules,
            listen,
            alert_fields,
            port,
            clock,
            recorder,
            secrets,
            vault_token,
            vault_port,
            tls,
        } = config;
        let Extras { own, history, tuning, bounds } = extras;
        if let Some(wrong) = profile.wrong().into_iter().next() {
            return Err(MockError::Profile(wrong));
        }
        population.check()?;
        for (index, timed) in world.iter().enumerate() {
            timed.event.check(&population).map_err(|source| MockError::World { index, source })?;
        }
        let history = history.unwrap_or_else(|| History::new(0, Some(recorder)));
        let rulebook = Rulebook::new(rules.clone());
        let shared = Arc::new(Shared {
            own,
            engine: Engine::new(seed, rules)?,
            world: World::new(profile, time_scale, seed, population, world),
            rendezvous: Rendezvous::default(),
            holds: Holds::default(),
        });
        shared.world.keys.open_vault_with(&vault_token);
        shared.world.webhooks.may_call(listen.hooks.clone());
        let recorder: Arc<dyn Recorder> = Arc::new(history.clone());
        let tls = tls.map(|authority| {
            let (shared, recorder) = (Arc::clone(&shared), Arc::clone(&recorder));
            Arc::new(Tls { authority, shared, clock, recorder })
        });
        let encrypts = tls.is_some();
        let probes = history.begun();
        let gauges = Arc::new(Gauges::default());
        let (draining, drains) = watch::channel(false);
        let at = SocketAddr::from((listen.host, port));
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => MockError::PortInUse { at },
            _ => MockError::Start { at, source },
        };
        let signers = Arc::clone(&shared);
        let sender = webhooks::Sender::start(webhooks::SenderConfig {
            shared: Arc::clone(&shared),
            clock,
            recorder: Arc::clone(&recorder),
            secrets: Box::new(move |at| signers.world.signing_secrets(at)),
            time_scale,
        })
        .map_err(refused)?;
        let peers = Arc::new(Peers::of(&listen));
        let settings = EdgeConfig {
            host: listen.host,
            port,
            peers: Arc::clone(&peers),
            draining: drains,
            clock,
            recorder,
            shared: Arc::clone(&shared),
            probes: Arc::clone(&probes),
            gauges: Arc::clone(&gauges),
            tuning,
            tls,
        };
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = mpsc::channel();
        let (_alive, done) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("mock-edge".to_owned())
            .spawn({
                let listen = listen.clone();
                let beside = Beside { listen, secrets, alert_fields, vault_port, bounds };
                move || {
                    let _alive = _alive;
                    run(settings, beside, &ready, stopped);
                }
            })
            .map_err(refused)?;
        let gone = || io::Error::other("the thread ended early");
        let Started { address, secrets_urls, alerts_url } =
            started.recv().map_err(|_| gone()).and_then(|result| result).map_err(refused)?;
        let running = Mutex::new(Some(Running { stop, done, thread, sender }));
        Ok(Self {
            shared,
            rulebook,
            history,
            probes,
            gauges,
            clock,
            listen,
            peers,
            address,
            encrypts,
            secrets_urls,
            vault_token,
            alerts_url,
            draining,
            running,
        })
    }
}

/// What secrets managers and alert receiver need beside the edge's settings.
struct Beside {
    listen: Listen,
    secrets: Vec<SecretsManager>,
    alert_fields: AlertFields,
    vault_port: u16,
    bounds: Bounds,
}

/// The edge's thread, from start to end.
fn run(
    settings: EdgeConfig,
    beside: Beside,
    ready: &mpsc::Sender<io::Result<Started>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let Beside { listen, secrets: managers, alert_fields, vault_port, bounds } = beside;
    let context = Arc::new(ServiceContext {
        shared: Arc::clone(&settings.shared),
        clock: settings.clock,
        recorder: Arc::clone(&settings.recorder),
        listen,
        peers: Arc::clone(&settings.peers),
        tls: settings.tls.clone(),
    });
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let started = async {
            let bound = edge::bind(settings).await?;
            let mut secrets_urls = Urls::new();
            let ports = std::iter::once(vault_port).chain(std::iter::repeat(0));
            for (manager, port) in managers.into_iter().zip(ports) {
                let routes = secrets::router(manager, Arc::clone(&context));
                let name = manager.name();
                let server = (Server::Vault, name);
                let url = services::serve(&context, server, port, routes, bounds).await?;
                secrets_urls.push((manager, url));
            }
            let alerts = alerts::router(Arc::clone(&context), alert_fields);
            let server = (Server::Alerts, Server::Alerts.name());
            let alerts_url = services::serve(&context, server, 0, alerts, bounds).await?;
            Ok((Started { address: bound.address(), secrets_urls, alerts_url }, bound))
        };
        match started.await {
            Ok((started, bound)) => {
                let _ = ready.send(Ok(started));
                bound.serve(stopped).await;
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        }
    });
    // Connections are local tasks: dropping them here records what is still open.
    let _inside = runtime.enter();
    drop(local);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::Tuning;
    use crate::history::exchange::Exchange;
    use crate::history::record::{Overload, Record};
    use crate::profile::ContractProfile;
    use crate::world::population::Population;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    #[derive(Default)]
    struct Tape(Mutex<Vec<Exchange>>, Mutex<Vec<Overload>>);

    impl Recorder for Tape {
        fn record(&self, record: Record) {
            match record {
                Record::Exchange(exchange) => self.0.lock().unwrap().push(*exchange),
                Record::Overload(overload) => self.1.lock().unwrap().push(overload),
                other => panic!("{other:?}"),
            }
        }
    }

    fn start(tuning: Tuning) -> (MockLinktree, Arc<Tape>) {
        let tape = Arc::new(Tape::default());
        let config = MockConfig {
            profile: ContractProfile::linktree_v1(),
            time_scale: 1,
            seed: 7,
            population: Population::default(),
            world: vec![],
            rules: vec![],
            listen: Listen::default(),
            alert_fields: Default::default(),
            port: 0,
            clock: Clock::start(),
            recorder: Arc::clone(&tape) as Arc<dyn Recorder>,
            secrets: vec![SecretsManager::Vault],
            vault_token: String::new(),
            vault_port: 0,
            tls: None,
        };
        (MockLinktree::start_tuned(config, tuning).unwrap(), tape)
    }

    fn health(port: u16, times: usize) {
        for _ in 0..times {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.write_all(b"GET /v1/health HTTP/1.0\r\n\r\n").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        }
    }

    #[test]
    fn a_running_mock_can_be_shared_between_threads() {
        fn check<T: Send + Sync>() {}
        check::<MockLinktree>();
    }

    #[test]
    fn replacing_wiremock_loses_no_request() {
        let (mock, tape) = start(Tuning { swap_after: 10, ..Tuning::default() });
        let port = mock.port();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| health(port, 50));
            }
        });
        mock.stop();
        assert_eq!(tape.0.lock().unwrap().len(), 200);
        assert!(tape.1.lock().unwrap().is_empty(), "{:?}", tape.1.lock().unwrap());
    }
}
