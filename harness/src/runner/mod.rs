//! Carries out a run: writes the plan, starts the scenarios as child processes, waits for them.

mod child;
mod log;
mod version;

use crate::baseline::Kept;
use crate::config::Config;
use crate::config::target::TargetSpec;
use crate::evidence::folder::{RunFolder, RunIdentity};
use crate::evidence::judging_rules::JudgingRules;
use crate::evidence::shortfall::{Kind, Shortfall};
use crate::evidence::{hash, plans};
use crate::failure::Failure;
use crate::process::interrupted;
use crate::progress::Progress;
use crate::rerun::Rerun;
use crate::schedule::{self, Room};
use crate::storm::order::Order;
use scenarios::plan::RunPlan;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

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
    /// The machine's room, which several runs may share.
    pub room: Arc<Room>,
    /// What was called.
    pub rerun: Rerun,
    /// What it is compared with.
    pub base: Option<Kept>,
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
/// [`Failure::Setup`] when the folder cannot be written; a scenario that does not come to its end is
/// noted in the folder and does not end the others.
pub async fn run(request: &Request, progress: &Progress) -> Result<Ran, Failure> {
    let version = version::of(&request.config, &request.target).await.unwrap_or_else(|why| {
        progress.note(&format!("! the target's version is not known: {why}"));
        None
    });
    let (bytes, plan_hash) = plans::to_bytes(&request.plan);
    let (folder, run_id, started) = RunFolder::create(&request.out_dir, &plan_hash)?;
    folder.write("plan.json", &bytes)?;
    if let Some(base) = &request.base {
        base.write(&folder)?;
    }
    let run_hash = folder.write_identity(&RunIdentity {
        started,
        version,
        config_hash: request.config.text.as_ref().map(|text| hash::of(text.as_bytes())),
        judging: JudgingRules::of(&request.config, &request.target),
        rerun: request.rerun.clone().recorded_in(&folder.plan()),
        ..RunIdentity::new(&run_id, &plan_hash, request.target.without_secrets())
    })?;
    let (stop, stopped) = watch::channel(false);
    let interrupt = tokio::spawn(async move {
        interrupted().await;
        let _ = stop.send(true);
        // The sender must outlive the scenarios, or they would see a change.
        std::future::pending::<()>().await;
    });
    let lengths =
        request.plan.scenarios.iter().map(|plan| Duration::from_millis(plan.duration_ms()));
    progress.expect(lengths);
    let mut running = JoinSet::new();
    for plan in schedule::in_running_order(&request.plan.scenarios) {
        let mut over = stopped.clone();
        let place = tokio::select! {
            biased;
            _ = over.wait_for(|over| *over) => None,
            place = request.room.enter(plan) => Some(place),
        };
        let Some(mut place) = place else {
            let why = "the run was interrupted before this scenario began".to_owned();
            let shortfall = Shortfall { kind: Kind::Interrupted, why };
            note(&shortfall, &folder, &plan.id, |line| progress.note(line));
            progress.leave_out(Duration::from_millis(plan.duration_ms()));
            continue;
        };
        let order = Order {
            run: run_id.clone(),
            run_hash: run_hash.clone(),
            plan: folder.plan(),
            plan_hash: plan_hash.clone(),
            scenario: plan.id.clone(),
            folder: folder.scenario(&plan.id),
            target: request.target.clone(),
            mock: request.config.file.mock.clone(),
            front_door: request.config.file.front_door.clone(),
            observe: request.config.file.observe.clone(),
            secrets: request.target.secrets_manager(&request.config.file),
            session_secret: request.config.file.secrets.session.clone(),
            config_folder: request.config.folder.clone(),
        };
        let length = Duration::from_millis(plan.duration_ms());
        let (folder, bar) = (folder.clone(), progress.bar(&plan.id, length));
        let stopped = stopped.clone();
        running.spawn(async move {
            let carried_out = match folder.make_scenario(&order.scenario) {
                Ok(()) => child::run(&order, &bar, length, &mut place, stopped).await,
                Err(error) => {
                    let why = format!("failed to make the scenario's folder: {error}");
                    Err(Shortfall { kind: Kind::Failed, why })
                }
            };
            match carried_out {
                Ok(()) => bar.finish("recorded"),
                Err(shortfall) => {
                    note(&shortfall, &folder, &order.scenario, |line| bar.say(line));
                    bar.finish("could not be carried out");
                }
            }
            drop(place);
        });
    }
    while running.join_next().await.is_some() {}
    let was_interrupted = *stopped.borrow();
    interrupt.abort();
    Ok(Ran { folder, interrupted: was_interrupted })
}

/// Notes why a scenario has no whole recording, for its report; where that cannot be written it is said
/// at once.
fn note(shortfall: &Shortfall, folder: &RunFolder, scenario: &str, say: impl Fn(&str)) {
    if shortfall.note(folder, scenario).is_err() {
        say(&shortfall.why);
    }
}
