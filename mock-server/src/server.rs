//! The mock as a whole: starts it, arms it, resets it, stops it.

mod config;
mod ending;

pub(crate) use config::Extras;
pub use config::{MockConfig, MockError};

mod keys;

use crate::alerts::alerts;
use crate::beside::{self, Beside, Bounds};
use crate::clock::{Clock, Moment};
use crate::desk::Desk;
use crate::edge::{self, Gauges, Settings};
use crate::faults::engine::Engine;
use crate::history::History;
use crate::holds::{Held, Holds};
use crate::population::Creator;
use crate::profile::ContractProfile;
use crate::routes::Shared;
use crate::rules::Rulebook;
use crate::secrets::vault;
use crate::webhooks::{self, Registration, RegistrationError, WebhookEvent};
use crate::world::{Change, EditError, World};
use ending::Running;
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
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
    address: SocketAddr,
    vault_url: String,
    alerts_url: String,
    vault_token: String,
    draining: watch::Sender<bool>,
    running: Mutex<Option<Running>>,
}

struct Started {
    address: SocketAddr,
    vault_url: String,
    alerts_url: String,
}

impl MockLinktree {
    /// Starts edge, wiremock and vault, and returns when they can be called. It blocks for a few
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
            edits,
            rules,
            port,
            clock,
            recorder,
            vault_token,
        } = config;
        let Extras { host, own, history, tuning } = extras;
        population.check()?;
        let history = history.unwrap_or_else(|| History::new(0, Some(recorder)));
        let rulebook = Rulebook::new(rules.clone());
        let shared = Arc::new(Shared {
            own,
            engine: Engine::new(seed, rules)?,
            world: World::new(profile, time_scale, seed, population, edits),
            desk: Desk::default(),
            holds: Holds::default(),
        });
        shared.world.keys.conceal(&vault_token);
        let probes = history.begun();
        let gauges = Arc::new(Gauges::default());
        let (draining, drains) = watch::channel(false);
        let at = SocketAddr::from((host, port));
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => MockError::PortInUse { at },
            _ => MockError::Start { at, source },
        };
        let signers = Arc::clone(&shared);
        let sender = webhooks::Sender::start(webhooks::Settings {
            shared: Arc::clone(&shared),
            clock,
            recorder: Arc::new(history.clone()),
            secrets: Box::new(move |at| signers.world.signing_secrets(at)),
            time_scale,
        })
        .map_err(refused)?;
        let settings = Settings {
            host,
            port,
            draining: drains,
            clock,
            recorder: Arc::new(history.clone()),
            shared: Arc::clone(&shared),
            probes: Arc::clone(&probes),
            gauges: Arc::clone(&gauges),
            tuning,
        };
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = mpsc::channel();
        let (_alive, done) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("mock-edge".to_owned())
            .spawn({
                let vault_token = vault_token.clone();
                move || {
                    let _alive = _alive;
                    run(settings, vault_token, &ready, stopped);
                }
            })
            .map_err(refused)?;
        let gone = || io::Error::other("the thread ended early");
        let Started { address, vault_url, alerts_url } =
            started.recv().map_err(|_| gone()).and_then(|result| result).map_err(refused)?;
        let running = Mutex::new(Some(Running { stop, done, thread, sender }));
        Ok(Self {
            shared,
            rulebook,
            history,
            probes,
            gauges,
            clock,
            address,
            vault_url,
            vault_token,
            alerts_url,
            draining,
            running,
        })
    }

    /// The mock's address without a path; routes begin with `/v1`. A mock that listens on every
    /// interface is named by its loopback address.
    #[must_use]
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            address.set_ip(loopback[usize::from(address.is_ipv6())]);
        }
        format!("http://{address}")
    }

    /// The public port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The vault's address without a path.
    #[must_use]
    pub fn vault_url(&self) -> String {
        self.vault_url.clone()
    }

    /// The token that the vault expects.
    #[must_use]
    pub fn vault_token(&self) -> &str {
        &self.vault_token
    }

    /// The alert receiver's address without a path.
    #[must_use]
    pub fn alerts_url(&self) -> String {
        self.alerts_url.clone()
    }

    /// The assumed contract that is served.
    #[must_use]
    pub fn profile(&self) -> &ContractProfile {
        &self.shared.world.profile
    }

    /// What creators, keys and fault decisions derive from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.shared.world.seed
    }

    /// Every handle that has an account.
    #[must_use]
    pub fn handles(&self) -> Vec<String> {
        self.shared.world.population.handles()
    }

    /// The creator with this handle, as of now.
    #[must_use]
    pub fn creator(&self, handle: &str) -> Option<Creator> {
        self.shared.world.creator(handle, self.clock.now())
    }

    /// The clock of every recorded moment.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// What was recorded. A mock from a [`MockConfig`] keeps nothing here: its recorder has it.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Traffic begins at this moment: fault windows and edits count from here.
    pub fn arm(&self, at: Moment) {
        self.shared.world.arm(at);
        self.shared.world.outbox.arm(at);
        self.shared.engine.wake();
    }

    /// Registers an address on this machine for these events, as `POST /v1/webhooks` does; the
    /// same address again changes its registration. The account's secrets sign.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`] when the address is not plain HTTP to loopback, or there are no events.
    pub fn register_webhook(
        &self,
        url: &str,
        events: &[WebhookEvent],
    ) -> Result<Registration, RegistrationError> {
        self.shared.world.outbox.register(url, events, None).map(|(registration, _)| registration)
    }

    /// Removes a registration, and drops what was still to be sent to it; false when there is none
    /// of this id.
    pub fn remove_webhook(&self, id: &str) -> bool {
        self.shared.world.outbox.remove(id)
    }

    /// The registrations, oldest first.
    #[must_use]
    pub fn webhooks(&self) -> Vec<Registration> {
        self.shared.world.outbox.registrations()
    }

    /// Sends a webhook to every active registration that wants this event. The data's `handle` and
    /// `nonce` are the mock's. Returns the message's id, which is the same everywhere, or none when
    /// nobody wants it or the queue is full.
    pub fn send_webhook(
        &self,
        event: WebhookEvent,
        handle: &str,
        data: serde_json::Value,
    ) -> Option<String> {
        self.shared.world.outbox.post(event, handle, || data)
    }

    /// What the fault `hold` holds back at present, in order of arrival.
    #[must_use]
    pub fn held(&self) -> Vec<Held> {
        self.shared.holds.held()
    }

    /// Releases everything that this rule holds back, and says how much that was.
    pub fn release(&self, rule: &str) -> usize {
        self.shared.holds.release(rule)
    }

    /// Releases everything that is held back, and says how much that was.
    pub fn release_all(&self) -> usize {
        let rules: BTreeSet<_> = self.held().into_iter().map(|held| held.rule).collect();
        rules.iter().map(|rule| self.release(rule)).sum()
    }

    /// Edits pages from `at` on, beside the plan: of this handle, or of all that begin with what
    /// stands before a final `*`. So a test inserts or removes links between two requests.
    ///
    /// # Errors
    ///
    /// [`EditError`] when the mock was told too many edits already.
    pub fn edit(&self, at: Moment, handles: &str, change: Change) -> Result<(), EditError> {
        self.shared.world.edit(at, handles, change)?;
        self.shared.world.outbox.edited(at, handles);
        Ok(())
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

    /// Back to the start, for the next test: no click was counted, no link was written or edited
    /// beside the plan, no request counts against a limit, the rules are those of the start with
    /// fresh ordinals, windows and the plan's edits count from now, nothing is held back, and the
    /// history is empty, and the keys, secrets and vault version are those of the start. Addresses,
    /// creators and webhook registrations stay.
    ///
    /// An exchange that is under way is recorded when it ends, after the reset: wait for
    /// [`History::settled`] before it where that matters.
    pub fn reset(&self) {
        self.shared.world.reset();
        self.reset_keys();
        self.reset_rules();
        self.release_all();
        self.arm(self.clock.now());
        self.history.clear();
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
            Ok((Started { address: bound.address(), vault_url, alerts_url }, bound))
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
    use crate::exchange::Exchange;
    use crate::population::Population;
    use crate::profile::ContractProfile;
    use crate::record::{Overload, Record, Recorder};
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
