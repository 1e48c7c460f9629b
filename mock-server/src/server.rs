//! The mock as a whole: starts it, arms it, stops it.

mod keys;

use crate::alerts::alerts;
use crate::beside::{self, Beside, Bounds};
use crate::clock::{Clock, Moment};
use crate::desk::Desk;
use crate::edge::{self, Gauges, Settings, Tuning};
use crate::faults::Rule;
use crate::faults::engine::{Engine, PlanError};
use crate::population::{Population, PopulationError};
use crate::profile::ContractProfile;
use crate::record::Recorder;
use crate::routes::Shared;
use crate::secrets::vault;
use crate::world::{Change, Edit, EditError, World};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long [`MockLinktree::stop`] waits for the last records.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Everything that a mock needs to know.
pub struct MockConfig {
    /// The assumed contract.
    pub profile: ContractProfile,
    /// Contract durations are divided by this.
    pub time_scale: u32,
    /// Creators, keys, versions, nonces and fault decisions derive from this.
    pub seed: u64,
    /// Who has an account.
    pub population: Population,
    /// When pages change.
    pub edits: Vec<Edit>,
    /// The fault plan.
    pub rules: Vec<Rule>,
    /// The public port on loopback; 0 for any.
    pub port: u16,
    /// The run's clock.
    pub clock: Clock,
    /// Where exchanges go.
    pub recorder: Arc<dyn Recorder>,
    /// The token that the vault expects.
    pub vault_token: String,
}

/// Why the mock could not start.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// The population is not lawful.
    #[error(transparent)]
    Population(#[from] PopulationError),
    /// The fault plan is not executable.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Somebody else has the port.
    #[error("failed to listen on 127.0.0.1:{port}: the port is in use; give another, or 0 for any")]
    PortInUse {
        /// The port.
        port: u16,
    },
    /// Another refusal of the operating system.
    #[error("failed to start the mock on 127.0.0.1:{port}: {source}")]
    Start {
        /// The port.
        port: u16,
        /// The operating system's word.
        source: io::Error,
    },
}

/// A running mock. Dropping it stops it, too.
pub struct MockLinktree {
    shared: Arc<Shared>,
    probes: Arc<AtomicU64>,
    gauges: Arc<Gauges>,
    port: u16,
    vault_url: String,
    alerts_url: String,
    clock: Clock,
    stop: Option<oneshot::Sender<()>>,
    done: Mutex<mpsc::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Started {
    port: u16,
    vault_url: String,
    alerts_url: String,
}

impl MockLinktree {
    /// Starts edge, wiremock and vault, and returns when they can be called. It blocks for a few
    /// milliseconds, and may be called from synchronous and asynchronous code.
    ///
    /// # Errors
    ///
    /// [`MockError`] when population or plan cannot be used, or the port cannot be had.
    pub fn start(config: MockConfig) -> Result<Self, MockError> {
        Self::start_tuned(config, Tuning::default())
    }

    pub(crate) fn start_tuned(config: MockConfig, tuning: Tuning) -> Result<Self, MockError> {
        let MockConfig {
            profile,
            time_scale,
            seed,
            population,
            edits,
            rules,
            port,
            clock,
            recorder,
            vault_token,
        } = config;
        population.check()?;
        let shared = Arc::new(Shared {
            engine: Engine::new(seed, rules)?,
            world: World::new(profile, time_scale, seed, population, edits),
            desk: Desk::default(),
        });
        shared.world.keys.conceal(&vault_token);
        let probes = Arc::new(AtomicU64::new(0));
        let gauges = Arc::new(Gauges::default());
        let settings = Settings {
            port,
            clock,
            recorder,
            shared: Arc::clone(&shared),
            probes: Arc::clone(&probes),
            gauges: Arc::clone(&gauges),
            tuning,
        };
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => MockError::PortInUse { port },
            _ => MockError::Start { port, source },
        };
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = mpsc::channel();
        let (_alive, done) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("mock-edge".to_owned())
            .spawn(move || {
                let _alive = _alive;
                run(settings, vault_token, &ready, stopped);
            })
            .map_err(refused)?;
        let gone = || io::Error::other("the thread ended early");
        let Started { port, vault_url, alerts_url } =
            started.recv().map_err(|_| gone()).and_then(|result| result).map_err(refused)?;
        let (stop, thread) = (Some(stop), Some(thread));
        let done = Mutex::new(done);
        Ok(Self { shared, probes, gauges, port, vault_url, alerts_url, clock, stop, done, thread })
    }

    /// The mock's address without a path; routes begin with `/v1`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The public port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The vault's address without a path.
    #[must_use]
    pub fn vault_url(&self) -> String {
        self.vault_url.clone()
    }

    /// The alert receiver's address without a path.
    #[must_use]
    pub fn alerts_url(&self) -> String {
        self.alerts_url.clone()
    }

    /// Traffic begins at this moment: fault windows and edits count from here.
    pub fn arm(&self, at: Moment) {
        self.shared.world.arm(at);
    }

    /// Edits pages from `at` on, beside the plan: of this handle, or of all that begin with what
    /// stands before a final `*`. So a test inserts or removes links between two requests.
    ///
    /// # Errors
    ///
    /// [`EditError`] when the mock was told too many edits already.
    pub fn edit(&self, at: Moment, handles: &str, change: Change) -> Result<(), EditError> {
        self.shared.world.edit(at, handles, change)
    }

    /// Forgets every request: limits, clicks, writes to links and told edits, as between two
    /// tests. The plan's edits run on until [`Self::arm`] starts them anew.
    pub fn reset(&self) {
        self.shared.world.reset();
    }

    /// How many exchanges have begun.
    #[must_use]
    pub fn probes(&self) -> u64 {
        self.probes.load(Ordering::Acquire)
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.gauges.connections()
    }

    /// How many requests are under way, from the end of their head to the end of their answer.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.gauges.in_flight()
    }

    /// Exchanges that are with the routes.
    #[cfg(test)]
    pub(crate) fn on_desk(&self) -> usize {
        self.shared.desk.len()
    }

    /// How many clicks have had their effect.
    #[must_use]
    pub fn clicks_counted(&self) -> usize {
        self.shared.world.with_clicks(|book| book.counted())
    }

    /// Stops the mock. When this returns, everything is recorded; what was still open with
    /// [`crate::exchange::End::Open`].
    pub fn stop(mut self) {
        self.shut_down();
    }

    fn shut_down(&mut self) {
        let Some(stop) = self.stop.take() else { return };
        // It fails only when the thread is gone already.
        let _ = stop.send(());
        let done = self.done.get_mut().unwrap_or_else(PoisonError::into_inner);
        let ended = done.recv_timeout(STOP_PATIENCE);
        let Some(thread) = self.thread.take() else { return };
        if ended == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::error!("the mock did not stop in time; its last records may be missing");
        } else if thread.join().is_err() {
            tracing::error!("the mock's thread panicked");
        }
    }
}

impl Drop for MockLinktree {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// The edge's thread, from start to end.
fn run(
    settings: Settings,
    vault_token: String,
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
    let beside = Arc::new(Beside {
        shared: Arc::clone(&settings.shared),
        clock: settings.clock,
        recorder: Arc::clone(&settings.recorder),
        vault_token,
    });
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let started = async {
            let bound = edge::bind(settings).await?;
            let vault = vault(Arc::clone(&beside));
            let vault_url = beside::serve(&beside, "vault", vault, Bounds::default()).await?;
            let alerts = alerts(Arc::clone(&beside));
            let alerts_url = beside::serve(&beside, "alerts", alerts, Bounds::default()).await?;
            Ok((Started { port: bound.port()?, vault_url, alerts_url }, bound))
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
    use crate::exchange::Exchange;
    use crate::record::{Overload, Record};
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
            edits: vec![],
            rules: vec![],
            port: 0,
            clock: Clock::start(),
            recorder: Arc::clone(&tape) as Arc<dyn Recorder>,
            vault_token: String::new(),
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
