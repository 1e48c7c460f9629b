//! Carries out a run: writes the plan, starts the scenarios as child processes, waits for them.

use crate::config::Config;
use crate::config::target::TargetSpec;
use crate::evidence::folder::{RunFolder, RunIdentity};
use crate::evidence::judging_rules::JudgingRules;
use crate::evidence::plans;
use crate::failure::Failure;
use crate::process::{interrupted, tail};
use crate::progress::{Lane, Progress};
use crate::schedule;
use crate::storm::child::{FAILURE_LINE, PHASE_LINE};
use crate::storm::order::Order;
use mock_server::clock::Clock;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use scenarios::plan::{Plan, RunPlan};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a scenario may take beyond its plan: start, drain, stop.
const SPARE: Duration = Duration::from_secs(60);
/// How long a child may take to end after SIGTERM; its own parts are bounded below this.
const STOP_WITHIN: Duration = Duration::from_secs(25);

/// How long the last lines of an ended child may take to be read.
const LAST_WORD: Duration = Duration::from_secs(1);

/// What is to be run.
pub struct Request {
    /// The plan.
    pub plan: RunPlan,
    /// What is tested.
    pub target: TargetSpec,
    /// The configuration that goes with it.
    pub config: Config,
    /// Where runs are kept.
    pub out_dir: PathBuf,
    /// Scenarios at once.
    pub jobs: usize,
    /// The command that does the same again.
    pub rerun: String,
}

/// What became of the run; verdicts are judged from the folder afterwards.
pub struct Ran {
    /// Where the evidence is.
    pub folder: RunFolder,
    /// Whether Ctrl-C ended it.
    pub interrupted: bool,
}

/// Runs every scenario of the request.
///
/// # Errors
///
/// [`Failure::Setup`] when the folder cannot be written; a scenario that cannot be set up is noted
/// in the folder and does not end the others.
pub async fn run(request: &Request, progress: &Progress) -> Result<Ran, Failure> {
    let (bytes, plan_hash) = plans::to_bytes(&request.plan);
    let (folder, run_id, started) = RunFolder::create(&request.out_dir, &plan_hash)?;
    folder.write("plan.json", &bytes)?;
    let identity = RunIdentity {
        format: 1,
        run_id,
        started,
        plan_hash: plan_hash.clone(),
        target: request.target.without_secrets(),
        judging: JudgingRules::of(&request.config, &request.target),
        rerun: request.rerun.clone(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        cores: std::thread::available_parallelism()
            .map_or(0, |n| u32::try_from(n.get()).unwrap_or(0)),
        os: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
    };
    let text = serde_json::to_vec_pretty(&identity).unwrap_or_default();
    folder.write("run.json", &text)?;
    let (stop, stopped) = watch::channel(false);
    let interrupt = tokio::spawn(async move {
        interrupted().await;
        let _ = stop.send(true);
        // The sender must outlive the scenarios, or they would see a change.
        std::future::pending::<()>().await;
    });
    let mut pending: VecDeque<&Plan> =
        schedule::in_running_order(&request.plan.scenarios, request.jobs).into();
    let mut running = JoinSet::new();
    let mut alone = false;
    loop {
        while let Some(plan) = pending.front() {
            let room = running.is_empty()
                || (!alone && !plan.exclusive && running.len() < request.jobs.max(1));
            if !room || *stopped.borrow() {
                break;
            }
            alone = plan.exclusive;
            let order = Order {
                plan: folder.plan(),
                plan_hash: plan_hash.clone(),
                scenario: plan.id.clone(),
                folder: folder.scenario(&plan.id),
                target: request.target.clone(),
                front_door: request.config.file.front_door.clone(),
                observe: request.config.file.observe.clone(),
                session_secret: request.config.file.secrets.session.clone(),
                config_folder: request.config.folder.clone(),
            };
            let length = Duration::from_millis(plan.duration_ms());
            let lane = progress.lane(&plan.id, length);
            running.spawn(scenario(order, folder.clone(), lane, length, stopped.clone()));
            pending.pop_front();
        }
        if running.join_next().await.is_none() {
            break;
        }
    }
    for plan in pending {
        note_failure(&folder, &plan.id, "the run was interrupted before this scenario began");
    }
    let was_interrupted = *stopped.borrow();
    interrupt.abort();
    Ok(Ran { folder, interrupted: was_interrupted })
}

async fn scenario(
    order: Order,
    folder: RunFolder,
    lane: Lane,
    length: Duration,
    stopped: watch::Receiver<bool>,
) {
    match child(&order, &lane, length, stopped).await {
        Ok(()) => lane.finish("recorded"),
        Err(why) => {
            note_failure(&folder, &order.scenario, &why);
            lane.finish("could not be carried out");
        }
    }
}

fn note_failure(folder: &RunFolder, scenario: &str, why: &str) {
    let _ = std::fs::create_dir_all(folder.scenario(scenario));
    let _ = std::fs::write(folder.setup_failure(scenario), why);
}

async fn child(
    order: &Order,
    lane: &Lane,
    length: Duration,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), String> {
    let words = |error: std::io::Error| format!("failed to start the scenario: {error}");
    std::fs::create_dir_all(&order.folder).map_err(words)?;
    let log_path = order.folder.join("harness.log");
    let log = std::fs::File::create(&log_path).map_err(words)?;
    let mut child = Command::new(std::env::current_exe().map_err(words)?)
        .arg("__scenario")
        .arg(serde_json::to_string(order).map_err(|error| error.to_string())?)
        // The child ends when this pipe does, however the parent ended.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(words)?;
    let keep_open = child.stdin.take();
    let out = child.stdout.take().ok_or("the scenario has no output")?;
    let mut lines = BufReader::new(out).lines();
    let clock = Clock::start();
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    let mut told = false;
    let mut deadline = tokio::time::Instant::from(clock.instant(clock.now().plus(length + SPARE)));
    let mut more = true;
    let mut why = None;
    let take = |line: &str, why: &mut Option<String>| {
        if let Some(phase) = line.strip_prefix(PHASE_LINE) {
            lane.say(phase);
        } else if let Some(told) = line.strip_prefix(FAILURE_LINE) {
            *why = serde_json::from_str(told).ok();
        }
    };
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(words)?,
            line = lines.next_line(), if more => match line {
                Ok(Some(line)) => take(&line, &mut why),
                _ => more = false,
            },
            _ = tick.tick() => lane.tick(clock.now().since(mock_server::clock::Moment::ZERO)),
            changed = stopped.changed(), if !told => if changed.is_ok() {
                told = true;
                lane.say("stopping");
                terminate(&child);
                deadline = clock.instant(clock.now().plus(STOP_WITHIN)).into();
            },
            () = tokio::time::sleep_until(deadline) => {
                let _ = child.start_kill();
                let _ = child.wait().await;
                return Err(format!("the scenario did not end in time\n{}", tail(&log_path, 15)));
            }
        }
    };
    drop(keep_open);
    // Its last word may still be on the way; nobody else holds the pipe for long.
    let rest = async {
        while let Ok(Some(line)) = lines.next_line().await {
            take(&line, &mut why);
        }
    };
    let _ = tokio::time::timeout(LAST_WORD, rest).await;
    let crashed = || format!("{status}\n{}", tail(&log_path, 15));
    if status.success() { Ok(()) } else { Err(why.unwrap_or_else(crashed)) }
}

fn terminate(child: &Child) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
}
