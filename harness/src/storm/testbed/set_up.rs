//! Sets the testbed up: the mock, what is planted in it, a look at the machine, then the target.

use super::{Testbed, turned_away};
use crate::config::model::Observe;
use crate::config::target::TargetSpec;
use crate::config::{secret, template};
use crate::failure::Failure;
use crate::private;
use crate::storm::measure::{headroom, tolerances};
use crate::storm::observe::canaries::{Canaries, Credentials};
use crate::storm::observe::dead_letters::{DeadLetters, Sink};
use crate::storm::observe::logs::Logs;
use crate::storm::observe::receiver::{Opening, Receiver};
use crate::storm::observe::search::Search;
use crate::storm::order::Order;
use crate::storm::process_faults::due::DueFaults;
use crate::storm::reach;
use crate::storm::recorder::Recorder;
use crate::storm::tap::Tap;
use crate::storm::target::{Secrets, Surroundings, Target};
use mock_server::clock::Clock;
use mock_server::server::{MockConfig, MockLinktree};
use mock_server::tls::Authority;
use mock_server::world::population::Population;
use scenarios::front_door::FrontRoute;
use scenarios::history::Event;
use scenarios::plan::{Plan, RunPlan};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

impl Testbed {
    /// Sets mock and target up, and measures the machine before.
    ///
    /// # Errors
    ///
    /// [`Failure`] for what does not start, or cannot carry the plan's load.
    pub async fn set_up(scene: &Scene<'_>) -> Result<Self, Failure> {
        let Scene { order, plan, clock, recorder, .. } = *scene;
        let (faults, counting) = DueFaults::of(&plan.faults, clock, recorder);
        let tap = Tap::new(counting, recorder);
        let population = reach::with_probe(&plan.population);
        let drawn = || format!("vault-{:016x}", plan.seed);
        let vault_token = order.target.vault_token().map_or_else(drawn, str::to_owned);
        let (authority, ca_file) = authority(order, plan)?.unzip();
        let authority = authority.filter(|_| plan.tls);
        let mock = start_mock(scene, &tap, &population, &vault_token, authority)?;
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
        recorder.record(Event::Mock { url: mock.url() });
        measure(scene).await?;
        let session_secret = secrets.session.clone();
        let data_dir = data_dir(&order.folder)?;
        let program = std::env::current_exe()
            .map_err(|error| Failure::bug(format!("failed to find this program: {error}")))?;
        let receiver = open_receiver(order, &search, clock).await?;
        let around = Surroundings {
            program: &program,
            mock_url: mock.url(),
            secrets_manager: order.secrets,
            secrets_url: mock.secrets_url(order.secrets).unwrap_or_default(),
            vault_token,
            vault_role: [mock.vault_role_id(), mock.vault_secret_id()],
            alerts_url: mock.alerts_url(),
            receiver: receiver.as_ref(),
            secrets,
            data_dir: &data_dir,
            ca_file: ca_file.clone(),
            tls: plan.tls,
            environment: plan.key.environment(&scene.run.contract),
            time_scale: plan.time_scale,
            seed: plan.seed,
            log: &order.folder.join("target.log"),
            search: &search,
        };
        let log_files = log_files(order, &data_dir);
        let captures_log = !matches!(order.target, TargetSpec::Url { .. }) || !log_files.is_empty();
        // What the target logs as it starts is its own.
        let logs = Logs::of(log_files, Arc::clone(&search));
        let started = Target::start(&order.target, &around, clock, recorder).await;
        let target = started.map_err(|failure| match (failure, turned_away(&mock)) {
            (Failure::Setup { what, help }, Some(whom)) => {
                Failure::setup(format!("{whom} {what}"), help)
            }
            (failure, _) => failure,
        })?;
        let takes_webhooks = order.front_door.offers(FrontRoute::Webhooks);
        recorder.record(Event::Front {
            url: target.url.clone(),
            webhooks: takes_webhooks.then(|| order.front_door.webhooks.clone()),
            without: order.front_door.without.clone(),
        });
        let sink = sink(order, &data_dir, &target.url);
        let dead_letters = sink
            .map(|sink| DeadLetters::of(sink, tap.poison(), recorder, clock))
            .transpose()
            .map_err(Failure::bug)?;
        Ok(Self {
            mock,
            faults,
            tap,
            metrics_url: target
                .metrics_url(&order.front_door, order.observe.metrics_url.as_deref()),
            front: order.front_door.clone(),
            session_secret,
            dead_letters,
            receiver,
            watching: None,
            logs: Some(logs),
            search,
            lost: false,
            data_dir,
            ca_file,
            captures_log,
            clock,
            recorder: recorder.clone(),
            target,
        })
    }
}

/// Where the target pushes its metrics, if that is asked for.
async fn open_receiver(
    order: &Order,
    search: &Arc<Search>,
    clock: Clock,
) -> Result<Option<Receiver>, Failure> {
    let names = &order.observe.metrics;
    let opening = Opening {
        listen: order.mock.listen(order.target.address()),
        names,
        runs_already: matches!(order.target, TargetSpec::Url { .. }),
    };
    Receiver::open(opening, search, clock).await.map_err(|error| {
        let what = format!("failed to listen for metrics by {}: {error}", names.channel.name());
        let help = "end what listens there, or name another port in observe.metrics.push_port, and tell your \
                    service";
        Failure::setup(what, help)
    })
}

fn start_mock(
    scene: &Scene<'_>,
    tap: &Tap,
    population: &Population,
    vault_token: &str,
    tls: Option<Authority>,
) -> Result<MockLinktree, Failure> {
    let Scene { order, run, plan, clock, .. } = *scene;
    MockLinktree::start(MockConfig {
        profile: plan.key.in_contract(&run.contract, &run.declared),
        time_scale: plan.time_scale,
        seed: plan.seed,
        population: population.clone(),
        world: plan.world.clone(),
        rules: plan.faults.clone(),
        listen: order.mock.listen(order.target.address()),
        alert_fields: order.observe.alert_webhook.clone(),
        port: order.target.mock_port(),
        clock,
        recorder: Arc::new(tap.clone()),
        secrets: vec![order.secrets],
        vault_token: vault_token.to_owned(),
        vault_port: order.target.vault_port(),
        tls,
    })
    .map_err(|error| {
        let help = match order.target {
            TargetSpec::Url { .. } => {
                "end what listens there, or name another port in target.url.mock_port or vault_port, and tell \
                 your service"
            }
            TargetSpec::Spawn { .. } | TargetSpec::Embedded { .. } => {
                "make room for a few more sockets and threads, and name an address of this machine in mock.host"
            }
        };
        Failure::setup(error.to_string(), help)
    })
}

/// The run's own authority with the file of its certificate, where anybody wants it. Which certificates
/// are good has nothing to do with the seed.
fn authority(order: &Order, plan: &Plan) -> Result<Option<(Authority, PathBuf)>, Failure> {
    if !plan.tls && !order.target.takes_ca_file() {
        return Ok(None);
    }
    let names = order.mock.listen(None).names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let authority = Authority::new(&names)
        .map_err(|error| Failure::setup(error.to_string(), "the system must have randomness"))?;
    // Absolute, for the target has a working directory of its own.
    let file = std::path::absolute(order.folder.join("ca.pem"))
        .map_err(|error| Failure::unwritable(&order.folder, &error))?;
    std::fs::write(&file, authority.pem()).map_err(|error| Failure::unwritable(&file, &error))?;
    Ok(Some((authority, file)))
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
    // Only what is made here is removed at the end.
    private::folder(&data_dir).map_err(|error| Failure::unwritable(&data_dir, &error))?;
    Ok(data_dir)
}

/// Where the target keeps the webhooks that it could not process, if that is said.
fn sink(order: &Order, data_dir: &Path, url: &str) -> Option<Sink> {
    let Observe { kept_file, kept_route, .. } = &order.observe;
    match (&order.target, kept_file, kept_route) {
        (TargetSpec::Embedded { .. }, ..) => {
            Some(Sink::File(data_dir.join(reference::FAILED_WEBHOOKS)))
        }
        (_, Some(file), _) => Some(Sink::File(folder_of(order).join(in_data_dir(file, data_dir)))),
        (_, None, Some(route)) => Some(Sink::Route(format!("{url}{route}"))),
        (_, None, None) => None,
    }
}

/// Where the target is started.
fn folder_of(order: &Order) -> PathBuf {
    match &order.target {
        TargetSpec::Spawn { command, folder } => folder.join(&command.cwd),
        TargetSpec::Embedded { .. } | TargetSpec::Url { .. } => order.config_folder.clone(),
    }
}

fn in_data_dir(file: &str, data_dir: &Path) -> String {
    let value = |name: &str| (name == template::DATA_DIR).then(|| data_dir.display().to_string());
    template::filled(file, value)
}

/// The configured log files: where they are, and as they are named.
fn log_files(order: &Order, data_dir: &Path) -> Vec<(PathBuf, String)> {
    let folder = folder_of(order);
    let file = |log: &String| (folder.join(in_data_dir(log, data_dir)), log.clone());
    order.observe.logs.iter().map(file).collect()
}
