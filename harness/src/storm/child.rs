//! Carries out one scenario: mock, target, traffic and recording, from start to the last event.

use crate::config::secret;
use crate::failure::Failure;
use crate::process::interrupted;
use crate::storm::chaos::{self, Lost};
use crate::storm::recorder::Recorder;
use crate::storm::spec::TargetSpec;
use crate::storm::strikes::Strikes;
use crate::storm::target::{Secrets, Surroundings, Target};
use crate::storm::{cpu, tolerances};
use mock_server::clock::Clock;
use mock_server::server::{MockConfig, MockLinktree};
use scenarios::front_door::FrontDoor;
use scenarios::history::{
    Change, Event, GeneratorReport, HISTORY_FORMAT, Opened, Outcome, Process,
};
use scenarios::plan::{Plan, RunPlan};
use scenarios::traffic::{Dispatcher, Storm};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// Time between readiness and the first arrival, for every part to be waiting.
const LEAD: Duration = scenarios::traffic::LEAD;
/// How often the harness looks at its own lateness (predicates.md B0).
const LAG_EVERY: Duration = Duration::from_millis(50);
/// Lateness below this is not worth a line.
const LAG_NOTED: Duration = Duration::from_millis(5);

/// What the parent asks of the child, on its command line as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// The run's plan file.
    pub plan: PathBuf,
    /// Its SHA-256.
    pub plan_hash: String,
    /// The scenario's id.
    pub scenario: String,
    /// The scenario's folder.
    pub folder: PathBuf,
    /// What is tested.
    pub target: TargetSpec,
    /// How its routes are spelled.
    pub front_door: FrontDoor,
    /// A reference to the secret that signs creators' sessions; drawn from the seed when absent.
    pub session_secret: Option<String>,
    /// What references to files are relative to.
    pub config_folder: PathBuf,
}

/// Carries out the order and records the history in the scenario's folder.
///
/// # Errors
///
/// [`Failure`] when mock, target or recording could not be set up; whatever the target does wrong
/// after that is an event in the history.
pub async fn carry_out(order: &Order) -> Result<Outcome, Failure> {
    let clock = Clock::start();
    let run = crate::evidence::plans::read(&order.plan)?;
    let plan = run.scenario(&order.scenario).ok_or_else(|| {
        Failure::usage(format!("no scenario {} in the plan", order.scenario), "see windthrow list")
    })?;
    let history = order.folder.join("history.ndjson.zst");
    let unwritable = |error| Failure::unwritable(&history, &error);
    let (recorder, writer) = Recorder::create(&history).map_err(unwritable)?;
    let outcome = storm(order, &run, plan, clock, &recorder).await;
    if let Ok(outcome) = &outcome {
        let event = Event::Closed { at: clock.now(), outcome: outcome.clone() };
        recorder.record(event);
    }
    writer.finish().map_err(unwritable)?;
    outcome
}

async fn storm(
    order: &Order,
    run: &RunPlan,
    plan: &Plan,
    clock: Clock,
    recorder: &Recorder,
) -> Result<Outcome, Failure> {
    let (mut strikes, recording) = Strikes::of(&plan.faults, clock, recorder);
    let drawn = || format!("vault-{:016x}", plan.seed);
    let vault_token = order.target.vault_token().map_or_else(drawn, str::to_owned);
    let config = MockConfig {
        profile: run.contract.clone(),
        time_scale: run.time_scale,
        seed: plan.seed,
        population: plan.population.clone(),
        edits: plan.edits.clone(),
        rules: plan.faults.clone(),
        port: order.target.mock_port(),
        clock,
        recorder: Arc::new(recording.clone()),
        vault_token: vault_token.clone(),
        vault_port: order.target.vault_port(),
    };
    let mock = MockLinktree::start(config)
        .map_err(|error| Failure::setup(error.to_string(), "free the port or the resource"))?;
    recorder.record(Event::Opened(Opened {
        format: HISTORY_FORMAT,
        scenario: plan.id.clone(),
        plan_hash: order.plan_hash.clone(),
        target: order.target.label(),
        mock_url: mock.url(),
    }));
    let measured = tolerances::measure(clock)
        .await
        .map_err(|error| Failure::setup(error.to_string(), "loopback sockets must work"))?;
    recorder.record(Event::Tolerances(measured));
    // Absolute: the target has a working directory of its own.
    let data_dir = std::path::absolute(order.folder.join("data"))
        .map_err(|error| Failure::unwritable(&order.folder, &error))?;
    std::fs::create_dir_all(&data_dir).map_err(|error| Failure::unwritable(&data_dir, &error))?;
    let program = std::env::current_exe()
        .map_err(|error| Failure::setup(format!("failed to find this program: {error}"), BUG))?;
    let session = match &order.session_secret {
        Some(reference) => secret::resolve(reference, &order.config_folder)?,
        None => {
            let bits = mock_server::seed::derive(plan.seed, &["secret", "session"]);
            bits.iter().map(|byte| format!("{byte:02x}")).collect()
        }
    };
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
    };
    let mut target = Target::start(&order.target, &around, clock, recorder).await?;
    let armed = clock.now().plus(LEAD);
    mock.arm(armed);
    strikes.arm(armed);
    recorder.record(Event::Armed { at: armed });
    let stop = Arc::new(AtomicBool::new(false));
    let background = [
        tokio::spawn(probe_lag(clock, recorder.clone())),
        tokio::spawn(announce_phases(clock, armed, plan.clone())),
    ];
    let traffic = Storm {
        plan: plan.clone(),
        front_url: target.url.clone(),
        front: order.front_door.clone(),
        armed,
        clock,
        sink: Arc::new(recording),
        stop: Arc::clone(&stop),
        dispatcher: Dispatcher::Thread,
    };
    let traffic = tokio::spawn(scenarios::traffic::run(traffic));
    let end = clock.instant(armed.plus(Duration::from_millis(plan.duration_ms())));
    let note = |change| recorder.record(Event::Process(Process { at: clock.now(), change }));
    let (outcome, lost) = tokio::select! {
        () = tokio::time::sleep_until(end.into()) => (Outcome::Completed, None),
        () = asked_to_stop() => (Outcome::Interrupted, None),
        lost = chaos::rage(&mut target, &mut strikes) => (Outcome::Completed, Some(lost)),
    };
    // The plan may end while a restart is under way.
    let lost = match lost {
        None if outcome == Outcome::Completed => {
            target.finish_start().await.err().map(|how| Lost::NotReady { how })
        }
        lost => lost,
    };
    let outcome = match lost {
        None => outcome,
        Some(Lost::Died { how }) => {
            note(Change::Died { how: how.clone() });
            Outcome::TargetLost { how }
        }
        Some(Lost::NotReady { how }) => {
            note(Change::NotReady { how: how.clone() });
            Outcome::TargetLost { how }
        }
    };
    stop.store(true, Ordering::Release);
    let generator = match tokio::time::timeout(Duration::from_secs(15), traffic).await {
        Ok(Ok(Ok(report))) => report,
        Ok(Ok(Err(error))) => {
            return Err(Failure::setup(format!("the load generator failed: {error}"), BUG));
        }
        Ok(Err(error)) => {
            return Err(Failure::setup(format!("the load generator crashed: {error}"), BUG));
        }
        Err(_) => return Err(Failure::setup("the load generator did not stop within 15 s", BUG)),
    };
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    recorder.record(Event::Generator(GeneratorReport {
        harness_cpu_us: cpu::of_process(std::process::id()).map_or(0, micros),
        mock_cpu_us: micros(cpu::of_own_threads("mock-")),
        target_cpu_us: micros(target.cpu()),
        ..generator
    }));
    if !matches!(outcome, Outcome::TargetLost { .. }) {
        note(Change::Stopped);
    }
    target.stop().await;
    background.iter().for_each(tokio::task::JoinHandle::abort);
    tokio::task::spawn_blocking(move || mock.stop())
        .await
        .map_err(|error| Failure::setup(format!("the mock crashed: {error}"), BUG))?;
    remove_data(&data_dir);
    Ok(outcome)
}

const BUG: &str = "this is a bug of Windthrow; please report it with harness.log";

/// The target's own data is not evidence, and a nightly run should not keep it.
fn remove_data(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
}

async fn probe_lag(clock: Clock, recorder: Recorder) {
    loop {
        let at = clock.now().plus(LAG_EVERY);
        tokio::time::sleep_until(clock.instant(at).into()).await;
        let late = clock.now().since(at);
        if late > LAG_NOTED {
            let late_us = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
            recorder.record(Event::Lag { at, late_us });
        }
    }
}

/// How a phase's line on standard output begins; goose prints lines of its own there.
pub const PHASE_LINE: &str = "phase: ";

/// One line on standard output for each phase, which the parent turns into progress.
async fn announce_phases(clock: Clock, armed: mock_server::clock::Moment, plan: Plan) {
    for phase in &plan.phases {
        let at = armed.plus(Duration::from_millis(phase.from_ms));
        tokio::time::sleep_until(clock.instant(at).into()).await;
        println!("{PHASE_LINE}{}", phase.name);
    }
}

/// Ctrl-C, SIGTERM, or the end of standard input: the parent is gone.
async fn asked_to_stop() {
    let parent_gone = async {
        let mut input = tokio::io::stdin();
        let mut byte = [0];
        while matches!(input.read(&mut byte).await, Ok(1..)) {}
    };
    tokio::select! {
        () = interrupted() => {}
        () = parent_gone => {}
    }
}
