//! Everything that must stand before the first visitor arrives: mock, target, and who watches them.

use super::child::BUG;
use super::measure::{headroom, tolerances};
use super::observe::canaries::{Canaries, Credentials};
use super::observe::logs::Logs;
use super::observe::search::Search;
use super::observe::source::{self, Tree};
use super::observe::watch::{Watch, Watching};
use super::order::Order;
use super::process_faults::due::DueFaults;
use super::reach;
use super::recorder::Recorder;
use super::tap::Tap;
use super::target::{Secrets, Surroundings, Target, client};
use crate::config::target::TargetSpec;
use crate::config::{secret, template};
use crate::failure::Failure;
use crate::metrics::Picks;
use mock_server::clock::Clock;
use mock_server::server::{MockConfig, MockLinktree};
use scenarios::front_door::FrontRoute;
use scenarios::history::{Event, HISTORY_FORMAT, Opened};
use scenarios::plan::{Plan, RunPlan};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What stands.
pub struct Stage {
    /// The mock.
    pub mock: MockLinktree,
    /// The integration under test.
    pub target: Target,
    /// When faults of the process fall due.
    pub faults: DueFaults,
    /// Where mock and visitors report.
    pub tap: Tap,
    search: Arc<Search>,
    data_dir: PathBuf,
    log_files: Vec<(PathBuf, String)>,
    captures_log: bool,
}

impl Stage {
    /// Sets mock and target up, and measures the machine before.
    ///
    /// # Errors
    ///
    /// [`Failure`] for what does not start, or cannot carry the plan's load.
    pub async fn set(
        order: &Order,
        run: &RunPlan,
        plan: &Plan,
        clock: Clock,
        recorder: &Recorder,
    ) -> Result<Self, Failure> {
        let (faults, counting) = DueFaults::of(&plan.faults, clock, recorder);
        let tap = Tap::new(counting);
        let population = reach::with_probe(&plan.population);
        let drawn = || format!("vault-{:016x}", plan.seed);
        let vault_token = order.target.vault_token().map_or_else(drawn, str::to_owned);
        let mock = MockLinktree::start(MockConfig {
            profile: run.contract.clone(),
            time_scale: run.time_scale,
            seed: plan.seed,
            population: population.clone(),
            edits: plan.edits.clone(),
            rules: plan.faults.clone(),
            port: order.target.mock_port(),
            clock,
            recorder: Arc::new(tap.clone()),
            vault_token: vault_token.clone(),
            vault_port: order.target.vault_port(),
        })
        .map_err(|error| Failure::setup(error.to_string(), "free the port or the resource"))?;
        let session = match &order.session_secret {
            Some(reference) => secret::resolve(reference, &order.config_folder)?,
            None => {
                let bits = mock_server::seed::derive(plan.seed, &["secret", "session"]);
                bits.iter().map(|byte| format!("{byte:02x}")).collect()
            }
        };
        let credentials = Credentials {
            linktree: mock.credentials(),
            vault_token: &vault_token,
            session: &session,
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
        measure(plan, clock, recorder).await?;
        // Absolute: the target has a working directory of its own.
        let data_dir = std::path::absolute(order.folder.join("data"))
            .map_err(|error| Failure::unwritable(&order.folder, &error))?;
        std::fs::create_dir_all(&data_dir)
            .map_err(|error| Failure::unwritable(&data_dir, &error))?;
        let log_files = log_files(order, &data_dir);
        let program = std::env::current_exe().map_err(|error| {
            Failure::setup(format!("failed to find this program: {error}"), BUG)
        })?;
        let around = Surroundings {
            program: &program,
            mock_url: mock.url(),
            vault_url: mock.vault_url(),
            vault_token,
            alerts_url: mock.alerts_url(),
            secrets: Secrets {
                api_key: mock.api_key(),
                webhook: mock.webhook_secret(),
                session: session.clone(),
            },
            data_dir: &data_dir,
            time_scale: run.time_scale,
            seed: plan.seed,
            log: &order.folder.join("target.log"),
            search: &search,
        };
        let target = Target::start(&order.target, &around, clock, recorder).await?;
        let captures_log = !matches!(order.target, TargetSpec::Url { .. }) || !log_files.is_empty();
        Ok(Self { mock, target, faults, tap, search, data_dir, log_files, captures_log })
    }

    /// Visits the target once; the mock must be asked.
    ///
    /// # Errors
    ///
    /// In words, why it was not, and what to change.
    pub async fn reach(
        &self,
        order: &Order,
        plan: &Plan,
        clock: Clock,
        recorder: &Recorder,
    ) -> Result<(), String> {
        let client = client()?;
        let patience = Duration::from_millis(plan.generator.timeout_ms);
        let (front, arrivals) = (&order.front_door, self.tap.arrivals());
        let (reach, outcome) =
            reach::probe(&self.target.url, front, patience, arrivals, &client, clock).await;
        recorder.record(Event::Reach(reach));
        outcome
    }

    /// Looks at the source tree once, and from now on at the target.
    ///
    /// # Errors
    ///
    /// [`Failure`] when no client can be built.
    pub async fn watch(
        &self,
        order: &Order,
        run: &RunPlan,
        clock: Clock,
        recorder: &Recorder,
    ) -> Result<Watching, Failure> {
        let observe = &order.observe;
        let tree = Tree {
            folder: &order.config_folder,
            roots: &observe.source,
            except: &observe.source_except,
            live_prefix: &run.contract.keys.live_prefix,
        };
        tokio::task::block_in_place(|| source::look(&tree, &self.search));
        let offered = order.front_door.offers(FrontRoute::Metrics);
        let url = format!("{}{}", self.target.url, order.front_door.metrics);
        let watch = Watch {
            leader: self.target.leader(),
            logs: Logs::of(self.log_files.clone(), Arc::clone(&self.search)),
            metrics: offered.then(|| (url, Picks::of(&observe.metrics))),
            client: client().map_err(|error| Failure::setup(error, BUG))?,
            search: Arc::clone(&self.search),
            recorder: recorder.clone(),
            clock,
        };
        Ok(watch.begin().await)
    }

    /// Ends target and mock, in this order; everything that they say is recorded then, also what is
    /// left in the target's `logs`.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the mock itself has crashed.
    pub async fn clear(self, logs: Option<Logs>) -> Result<(), Failure> {
        self.target.stop().await;
        if let Some(mut logs) = logs {
            tokio::task::block_in_place(|| logs.read(true));
        }
        let mock = self.mock;
        tokio::task::spawn_blocking(move || mock.stop())
            .await
            .map_err(|error| Failure::setup(format!("the mock crashed: {error}"), BUG))?;
        self.search.finish(self.captures_log);
        // The target's own data is not evidence, and a nightly run should not keep it.
        let _ = std::fs::remove_dir_all(&self.data_dir);
        Ok(())
    }
}

/// Measures the machine: how exact it is, and whether it can throw this storm.
async fn measure(plan: &Plan, clock: Clock, recorder: &Recorder) -> Result<(), Failure> {
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
