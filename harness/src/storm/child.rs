//! Carries out one scenario: joins what stands and who comes, from start to the last event.

use super::load::Load;
use super::measure::lag::Probe;
use super::measure::starvation::Starvation;
use super::order::{Order, Said};
use super::pace;
use super::recorder::Recorder;
use super::testbed::{Scene, Testbed};
use crate::evidence::plans;
use crate::failure::Failure;
use crate::process::lifeline::asked_to_stop;
use miette::Diagnostic;
use mock_server::clock::{Clock, Moment};
use scenarios::history::{Event, GeneratorReport, HISTORY_FORMAT, Opened, Outcome};
use scenarios::plan::Plan;
use scenarios::traffic::LEAD;
use std::time::Duration;

/// Carries out the order and records the history in the scenario's folder.
///
/// # Errors
///
/// [`Failure`] when mock, target or recording could not be set up, which is also said to the parent;
/// whatever the target does wrong after that is an event in the history.
pub async fn carry_out(order: &Order) -> Result<Outcome, Failure> {
    recorded(order).await.inspect_err(|failure| {
        let help = failure.help().map_or(String::new(), |help| format!("; what to do: {help}"));
        Said::Failure(format!("{failure}{help}")).say();
    })
}

async fn recorded(order: &Order) -> Result<Outcome, Failure> {
    let clock = Clock::start();
    let began = wall();
    let run = plans::read(&order.plan)?;
    let plan = run.scenario(&order.scenario).ok_or_else(|| {
        Failure::usage(format!("no scenario {} in the plan", order.scenario), "see windthrow list")
    })?;
    let history = order.folder.join("history.ndjson.zst");
    let unwritable = |error| Failure::unwritable(&history, &error);
    let (recorder, writer) = Recorder::create(&history).map_err(unwritable)?;
    recorder.record(Event::Opened(Opened {
        format: HISTORY_FORMAT,
        run: order.run.clone(),
        run_hash: order.run_hash.clone(),
        scenario: plan.id.clone(),
        plan_hash: order.plan_hash.clone(),
        target: order.target.label(),
        started: Some(began),
    }));
    let scene = Scene { order, run: &run, plan, clock, recorder: &recorder };
    let (outcome, written) = match storm(&scene).await {
        Ok(outcome) => (Ok(outcome.clone()), writer.close(clock.now(), outcome)),
        Err(failure) => (Err(failure), writer.finish()),
    };
    let outcome = outcome?;
    written.map_err(unwritable)?;
    match recorder.is_lost() {
        None => Ok(outcome),
        Some(why) => Err(Failure::setup(
            format!("the storm was ended, for it could no longer be recorded: {why}"),
            "let the run's folder be until the run has ended, and have some MiB free for it",
        )),
    }
}

/// The calendar time, RFC 3339 with milliseconds.
fn wall() -> String {
    let now = jiff::Timestamp::try_from(Clock::wall()).unwrap_or_default();
    format!("{now:.3}")
}

async fn storm(scene: &Scene<'_>) -> Result<Outcome, Failure> {
    let Scene { order, run, plan, clock, recorder } = *scene;
    let mut testbed = Testbed::set_up(scene).await?;
    Said::Ready.say();
    if let Err(why) = testbed.reach(plan, &order.observe.metrics).await {
        testbed.clear().await?;
        return Ok(Outcome::Unreached { why });
    }
    testbed.watch(order, run).await?;
    let armed = clock.now().plus(LEAD);
    testbed.arm(armed);
    let probe = Probe::begin(clock, recorder.clone());
    let starvation = Starvation::begin(testbed.root(), clock, recorder.clone())
        .map_err(|error| Failure::bug(format!("failed to start a thread: {error}")))?;
    let announcing = tokio::spawn(announce_phases(clock, armed, plan.clone()));
    let telling = tokio::spawn(pace::announce(clock, armed, plan.clone(), testbed.pace()));
    let load = Load::begin(plan, testbed.entrance(), armed, clock);
    let outcome = until_the_end(&mut testbed, scene, armed).await;
    let report = load.end().await?;
    let (mock_cpu_us, target_cpu_us) = testbed.last_look().await;
    recorder.record(Event::Generator(GeneratorReport { mock_cpu_us, target_cpu_us, ..report }));
    probe.end();
    tokio::task::block_in_place(|| starvation.end());
    announcing.abort();
    telling.abort();
    testbed.clear().await?;
    Ok(outcome)
}

/// Waits for the plan's end, for the word to stop, or until target or recording are lost.
async fn until_the_end(testbed: &mut Testbed, scene: &Scene<'_>, armed: Moment) -> Outcome {
    let Scene { plan, clock, recorder, .. } = *scene;
    let end = clock.instant(armed.plus(Duration::from_millis(plan.duration_ms())));
    tokio::select! {
        () = tokio::time::sleep_until(end.into()) => {}
        () = asked_to_stop() => return Outcome::Interrupted,
        // Whoever has started it says why.
        _ = recorder.lost() => return Outcome::Interrupted,
        how = testbed.lost() => return Outcome::TargetLost { how },
    }
    // The plan may end while a restart is under way.
    match testbed.finish_start().await {
        Ok(()) => Outcome::Completed,
        Err(how) => Outcome::TargetLost { how },
    }
}

/// Says when each phase begins, which the parent turns into progress.
async fn announce_phases(clock: Clock, armed: Moment, plan: Plan) {
    for phase in &plan.phases {
        let at = armed.plus(Duration::from_millis(phase.from_ms));
        tokio::time::sleep_until(clock.instant(at).into()).await;
        Said::Phase(phase.name.clone()).say();
    }
}
