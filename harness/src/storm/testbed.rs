//! What stands before the first visitor arrives: mock, target, and who watches them.

use super::load::Entrance;
use super::measure::{cpu, headroom, tolerances};
use super::observe::canaries::{Canaries, Credentials};
use super::observe::logs::Logs;
use super::observe::search::Search;
use super::observe::source::{self, Tree};
use super::observe::watch::{Watch, Watching};
use super::order::Order;
use super::process_faults::due::DueFaults;
use super::process_faults::{self, Lost};
use super::reach;
use super::recorder::Recorder;
use super::tap::Tap;
use super::target::{Secrets, Surroundings, Target, client};
use crate::config::target::TargetSpec;
use crate::config::{secret, template};
use crate::failure::Failure;
use crate::metrics::Picks;
use mock_server::clock::{Clock, Moment};
use mock_server::server::{MockConfig, MockLinktree};
use mock_server::world::population::Population;
use scenarios::front_door::{FrontDoor, FrontRoute};
use scenarios::history::{Change, Event, HISTORY_FORMAT, Opened, Process};
use scenarios::plan::{Plan, RunPlan};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What is played, and where it is recorded.
pub struct Scene<'a> {
    /// What the parent asks.
    pub order: &'a Order,
    /// The whole run's plan.
    pub run: &'a RunPlan,
    /// The scenario's.
    pub plan: &'a Plan,
    /// The run's clock.
    pub clock: Clock,
    /// Where everything is recorded.
    pub recorder: &'a Recorder,
}

/// Mock, target and their watchers.
pub struct Testbed {
    mock: MockLinktree,
    target: Target,
    /// Faults of the process, as they fall due.
    faults: DueFaults,
    /// Where mock and visitors report.
    tap: Tap,
    front: FrontDoor,
    watching: Option<Watching>,
    /// What is still to be read of the target's log files once it has ended.
    logs: Option<Logs>,
    search: Arc<Search>,
    /// The target ended, or was not ready again, without being asked.
    lost: bool,
    data_dir: PathBuf,
    log_files: Vec<(PathBuf, String)>,
    captures_log: bool,
    clock: Clock,
    recorder: Recorder,
}

impl Testbed {
    /// Sets mock and target up, and measures the machine before.
    ///
    /// # Errors
    ///
    /// [`Failure`] for what does not start, or cannot carry the plan's load.
    pub async fn set_up(scene: &Scene<'_>) -> Result<Self, Failure> {
        let Scene { order, run, plan, clock, recorder } = *scene;
        let (faults, counting) = DueFaults::of(&plan.faults, clock, recorder);
        let tap = Tap::new(counting);
        let population = reach::with_probe(&plan.population);
        let drawn = || format!("vault-{:016x}", plan.seed);
        let vault_token = order.target.vault_token().map_or_else(drawn, str::to_owned);
        let mock = start_mock(scene, &tap, &population, &vault_token)?;
        let secrets = Secrets {
            api_key: mock.api_key(),
            webhook: mock.webhook_secret(),
            session: session_secret(order, plan)?,
        };
        let credentials = Credentials {
            linktree: mock.credentials(),
            vault_token: &vault_token,
            session: &secrets.session,
        };
        let canaries = Arc::new(Canaries::of(&credentials, &population, plan.seed));
        recorder.conceal(&canaries);
        let search = Arc::new(Search::new(canaries, recorder, clock));
        tap.search_with(&search);
        recorder.record(Event::Opened(Opened {
            format: HISTORY_FORMAT,
            scenario: plan.id.clone(),
            plan_hash: order.plan_hash.clone(),
            target: order.target.label(),
            mock_url: mock.url(),
        }));
        measure(scene).await?;
        let data_dir = data_dir(&order.folder)?;
        let program = std::env::current_exe()
            .map_err(|error| Failure::bug(format!("failed to find this program: {error}")))?;
        let around = Surroundings {
            program: &program,
            mock_url: mock.url(),
            vault_url: mock.vault_url(),
            vault_token,
            alerts_url: mock.alerts_url(),
            secrets,
            data_dir: &data_dir,
            time_scale: run.time_scale,
            seed: plan.seed,
            log: &order.folder.join("target.log"),
            search: &search,
        };
        let target = Target::start(&order.target, &around, clock, recorder).await?;
        let log_files = log_files(order, &data_dir);
        let captures_log = !matches!(order.target, TargetSpec::Url { .. }) || !log_files.is_empty();
        Ok(Self {
            mock,
            target,
            faults,
            tap,
            front: order.front_door.clone(),
            watching: None,
            logs: None,
            search,
            lost: false,
            data_dir,
            log_files,
            captures_log,
            clock,
            recorder: recorder.clone(),
        })
    }

    /// Visits the target once; the mock must be asked.
    ///
    /// # Errors
    ///
    /// In words, why it was not, and what to change.
    pub async fn reach(&self, plan: &Plan) -> Result<(), String> {
        let client = client()?;
        let patience = Duration::from_millis(plan.generator.timeout_ms);
        let arrivals = self.tap.arrivals();
        let (reach, outcome) =
            reach::probe(&self.target.url, &self.front, patience, arrivals, &client, self.clock)
                .await;
        self.recorder.record(Event::Reach(reach));
        outcome
    }

    /// Looks at the source tree once, and from now on at the target.
    ///
    /// # Errors
    ///
    /// [`Failure`] when no client can be built.
    pub async fn watch(&mut self, order: &Order, run: &RunPlan) -> Result<(), Failure> {
        let observe = &order.observe;
        let tree = Tree {
            folder: &order.config_folder,
            roots: &observe.source,
            except: &observe.source_except,
            live_prefix: &run.contract.keys.live_prefix,
        };
        tokio::task::block_in_place(|| source::look(&tree, &self.search));
        let offered = self.front.offers(FrontRoute::Metrics);
        let url = format!("{}{}", self.target.url, self.front.metrics);
        let watch = Watch {
            leader: self.target.leader(),
            logs: Logs::of(self.log_files.clone(), Arc::clone(&self.search)),
            metrics: offered.then(|| (url, Picks::of(&observe.metrics))),
            client: client().map_err(Failure::bug)?,
            search: Arc::clone(&self.search),
            recorder: self.recorder.clone(),
            clock: self.clock,
        };
        self.watching = Some(watch.begin().await);
        Ok(())
    }

    /// Where visitors go in.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        let (url, front) = (self.target.url.clone(), self.front.clone());
        Entrance { url, front, sink: Arc::new(self.tap.clone()) }
    }

    /// The plan's millisecond 0: from then on its faults happen.
    pub fn arm(&self, at: Moment) {
        self.mock.arm(at);
        self.faults.arm(at);
        self.recorder.record(Event::Armed { at });
    }

    /// Lets the plan's faults of the process happen; returns when the target is lost, and says how.
    pub async fn lost(&mut self) -> String {
        let lost = process_faults::inject_all(&mut self.target, &mut self.faults).await;
        self.note_lost(lost)
    }

    /// Waits for a restart that is under way.
    ///
    /// # Errors
    ///
    /// How the target was lost.
    pub async fn finish_start(&mut self) -> Result<(), String> {
        let started = self.target.finish_start().await;
        started.map_err(|error| self.note_lost(Lost::NotReady { how: error.to_string() }))
    }

    fn note_lost(&mut self, lost: Lost) -> String {
        self.lost = true;
        let (how, change): (_, fn(String) -> Change) = match lost {
            Lost::Died { how } => (how, |how| Change::Died { how }),
            Lost::NotReady { how } => (how, |how| Change::NotReady { how }),
        };
        self.note(change(how.clone()));
        how
    }

    /// Looks for the last time, while the target still runs; returns the processor time of the mock
    /// and of the target, µs.
    pub async fn last_look(&mut self) -> (u64, u64) {
        if let Some(watching) = self.watching.take() {
            self.logs = watching.finish().await;
        }
        (cpu::micros(cpu::of_own_threads("mock-")), cpu::micros(self.target.cpu()))
    }

    /// Ends target and mock, in this order; everything that they say is recorded then.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the mock itself has crashed.
    pub async fn clear(self) -> Result<(), Failure> {
        if !self.lost {
            self.note(Change::Stopped);
        }
        self.target.stop().await;
        if let Some(mut logs) = self.logs {
            tokio::task::block_in_place(|| logs.read(true));
        }
        let mock = self.mock;
        tokio::task::spawn_blocking(move || mock.stop())
            .await
            .map_err(|error| Failure::bug(format!("the mock crashed: {error}")))?;
        self.search.finish(self.captures_log);
        // The target's own data is not evidence, and a nightly run should not keep it.
        let _ = std::fs::remove_dir_all(&self.data_dir);
        Ok(())
    }

    fn note(&self, change: Change) {
        self.recorder.record(Event::Process(Process { at: self.clock.now(), change }));
    }
}

fn start_mock(
    scene: &Scene<'_>,
    tap: &Tap,
    population: &Population,
    vault_token: &str,
) -> Result<MockLinktree, Failure> {
    let Scene { order, run, plan, clock, .. } = *scene;
    MockLinktree::start(MockConfig {
        profile: run.contract.clone(),
        time_scale: run.time_scale,
        seed: plan.seed,
        population: population.clone(),
        edits: plan.edits.clone(),
        rules: plan.faults.clone(),
        port: order.target.mock_port(),
        clock,
        recorder: Arc::new(tap.clone()),
        vault_token: vault_token.to_owned(),
        vault_port: order.target.vault_port(),
    })
    .map_err(|error| Failure::setup(error.to_string(), "free the port or the resource"))
}

/// What signs creators' sessions: the configured secret, or one drawn from the seed.
fn session_secret(order: &Order, plan: &Plan) -> Result<String, Failure> {
    match &order.session_secret {
        Some(reference) => secret::resolve(reference, &order.config_folder),
        None => Ok(hex::encode(mock_server::seed::derive(plan.seed, &["secret", "session"]))),
    }
}

/// Measures the machine: how exact it is, and whether it can throw this storm.
async fn measure(scene: &Scene<'_>) -> Result<(), Failure> {
    let Scene { plan, clock, recorder, .. } = *scene;
    let no_loopback =
        |error: std::io::Error| Failure::setup(error.to_string(), "loopback sockets must work");
    recorder.record(Event::Tolerances(tolerances::measure(clock).await.map_err(no_loopback)?));
    let headroom = headroom::measure(plan, clock).await.map_err(no_loopback)?;
    recorder.record(Event::Headroom(headroom));
    match headroom::lacks(&headroom, plan) {
        Some(why) => Err(Failure::setup("this machine cannot throw this storm", why)),
        None => Ok(()),
    }
}

/// Makes the folder for what the target keeps; absolute, for it has a working directory of its own.
fn data_dir(folder: &Path) -> Result<PathBuf, Failure> {
    let data_dir = std::path::absolute(folder.join("data"))
        .map_err(|error| Failure::unwritable(folder, &error))?;
    std::fs::create_dir_all(&data_dir).map_err(|error| Failure::unwritable(&data_dir, &error))?;
    Ok(data_dir)
}

/// The configured log files: where they are, and as they are named.
fn log_files(order: &Order, data_dir: &Path) -> Vec<(PathBuf, String)> {
    let folder = match &order.target {
        TargetSpec::Spawn { command, folder } => folder.join(&command.cwd),
        TargetSpec::Embedded { .. } | TargetSpec::Url { .. } => order.config_folder.clone(),
    };
    let value = |name: &str| (name == template::DATA_DIR).then(|| data_dir.display().to_string());
    let file = |log: &String| (folder.join(template::filled(log, value)), log.clone());
    order.observe.logs.iter().map(file).collect()
}
