//! Carries out one scenario: mock, target, traffic and recording, from start to the last event.

use crate::failure::Failure;
use crate::process::interrupted;
use crate::storm::measure::cpu;
use crate::storm::order::Order;
use crate::storm::process_faults::{self, Lost};
use crate::storm::recorder::Recorder;
use crate::storm::stage::Stage;
use miette::Diagnostic;
use mock_server::clock::Clock;
use scenarios::history::{Change, Event, GeneratorReport, Outcome, Process};
use scenarios::plan::{Plan, RunPlan};
use scenarios::traffic::{Dispatcher, Storm};
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
    let mut stage = Stage::set(order, run, plan, clock, recorder).await?;
    let note = |change| recorder.record(Event::Process(Process { at: clock.now(), change }));
    if let Err(why) = stage.reach(order, plan, clock, recorder).await {
        note(Change::Stopped);
        stage.clear(None).await?;
        return Ok(Outcome::Unreached { why });
    }
    let watching = stage.watch(order, run, clock, recorder).await?;
    let armed = clock.now().plus(LEAD);
    stage.mock.arm(armed);
    stage.faults.arm(armed);
    recorder.record(Event::Armed { at: armed });
    let stop = Arc::new(AtomicBool::new(false));
    let background = [
        tokio::spawn(probe_lag(clock, recorder.clone())),
        tokio::spawn(announce_phases(clock, armed, plan.clone())),
    ];
    let traffic = Storm {
        plan: plan.clone(),
        front_url: stage.target.url.clone(),
        front: order.front_door.clone(),
        armed,
        clock,
        sink: Arc::new(stage.tap.clone()),
        stop: Arc::clone(&stop),
        dispatcher: Dispatcher::Thread,
    };
    let traffic = tokio::spawn(scenarios::traffic::run(traffic));
    let end = clock.instant(armed.plus(Duration::from_millis(plan.duration_ms())));
    let (target, faults) = (&mut stage.target, &mut stage.faults);
    let (outcome, lost) = tokio::select! {
        () = tokio::time::sleep_until(end.into()) => (Outcome::Completed, None),
        () = asked_to_stop() => (Outcome::Interrupted, None),
        lost = process_faults::inject_all(target, faults) => (Outcome::Completed, Some(lost)),
    };
    // The plan may end while a restart is under way.
    let lost = match lost {
        None if outcome == Outcome::Completed => {
            target.finish_start().await.err().map(|error| Lost::NotReady { how: error.to_string() })
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
    let logs = watching.finish().await;
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    recorder.record(Event::Generator(GeneratorReport {
        harness_cpu_us: cpu::of_process(std::process::id()).map_or(0, micros),
        mock_cpu_us: micros(cpu::of_own_threads("mock-")),
        target_cpu_us: micros(stage.target.cpu()),
        ..generator
    }));
    if !matches!(outcome, Outcome::TargetLost { .. }) {
        note(Change::Stopped);
    }
    background.iter().for_each(tokio::task::JoinHandle::abort);
    stage.clear(logs).await?;
    Ok(outcome)
}

/// What to do about a bug.
pub(super) const BUG: &str = "this is a bug of Windthrow; please report it with harness.log";

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

/// How the line that says why a scenario could not be carried out begins; a JSON string follows.
pub const FAILURE_LINE: &str = "failure: ";

/// Tells the parent why there is no recording.
pub fn announce_failure(failure: &Failure) {
    let help = failure.help().map_or(String::new(), |help| format!("\nhelp: {help}"));
    println!("{FAILURE_LINE}{}", serde_json::Value::String(format!("{failure}{help}")));
}

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
