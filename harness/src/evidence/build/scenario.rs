//! Tells one scenario's course: how it ended, what hit it, what was seen, and its cells.

use super::cell;
use crate::evidence::folder::{RunFolder, RunIdentity};
use crate::evidence::judging::{Judged, judge};
use crate::evidence::reader::ReadError;
use crate::evidence::shortfall::{Kind, Shortfall};
use crate::failure::Failure;
use mock_server::clock::Moment;
use mock_server::contract::Listener;
use mock_server::faults::FaultMark;
use mock_server::history::handshake::Handshake;
use reports::report::{
    Breaker, BreakerSpan, BreakerState, Cell, Course, CpuTime, Dispatch, Ending, Evidence,
    FaultWindow, Held, Lateness, Phase, ScenarioReport, Series, Standing, Tolerance,
};
use scenarios::case::{Case, JudgedExchange};
use scenarios::health::Trouble;
use scenarios::history::{Change, GeneratorReport, Outcome, Process};
use scenarios::plan::{AlertKind, Plan, RunPlan};
use scenarios::timeline;
use scenarios::verdict::{Verdict, VerdictKind};

/// What one scenario came to, and the cell of each of its guarantees.
///
/// # Errors
///
/// [`Failure::Usage`] when its history is of another format, or that of something else.
pub fn scenario(
    folder: &RunFolder,
    identity: &RunIdentity,
    run: &RunPlan,
    plan: &Plan,
) -> Result<(ScenarioReport, Vec<Cell>), Failure> {
    let mut report = ScenarioReport {
        id: plan.id.clone(),
        title: plan.summary.clone(),
        duration_ms: plan.duration_ms(),
        phases: plan.phases.iter().map(phase).collect(),
        verdict: Standing::Inconclusive,
        ..ScenarioReport::default()
    };
    let shortfall = Shortfall::noted(folder, &plan.id);
    let cut = shortfall.as_ref().map(|one| one.kind.words());
    let (judged, ending) = match judge(folder, identity, run, plan, cut) {
        Err(
            error @ (ReadError::Format { .. }
            | ReadError::Foreign { .. }
            | ReadError::Identity { .. }),
        ) => return Err(refused(folder, plan, &error)),
        Err(error) => return Ok(unjudged(report, plan, unread(&error, plan, shortfall.as_ref()))),
        Ok(judged) => match &shortfall {
            // Before the traffic nothing was seen.
            Some(shortfall) if !judged.case.harness.is_armed() => {
                return Ok(unjudged(report, plan, not_begun(shortfall)));
            }
            Some(shortfall) => {
                (judged, (cut_short(shortfall.kind), Some(shortfall.why.trim().to_owned())))
            }
            None => {
                let ending = ending(&judged.case, plan);
                (judged, ending)
            }
        },
    };
    if ending.0 != Ending::Completed {
        // What it was planned to take would be a lie.
        report.duration_ms =
            report.duration_ms.min(judged.case.plan_ms(judged.case.harness.closed));
    }
    (report.ending, report.ending_reason) = ending;
    report.started = began(&judged.case);
    let enough = |(id, verdict): &(&'static str, Verdict)| {
        let verdict = identity.judging.enough(id, verdict.clone());
        // Of what a scenario only watches, too little seen says nothing.
        let says = plan.decides(id) || verdict.kind != VerdictKind::Inconclusive;
        says.then(|| match unheard(id, &judged.case) {
            Some(why) => cell::not_applicable(&cell::unjudged(plan, id, &why), why),
            None => cell::judged(plan, &judged, id, &verdict),
        })
    };
    let cells: Vec<Cell> = judged.verdicts.iter().filter_map(enough).collect();
    report.fault_windows = plan.faults.iter().map(|rule| window(rule, &judged)).collect();
    if identity.judging.not_applicable(BREAKER).is_none() {
        report.breakers = timeline::breakers(&judged.case).iter().map(breaker).collect();
    }
    report.evidence = evidence(&judged);
    report.troubles = judged.health.troubles.iter().map(|one| trouble(one, &judged.case)).collect();
    report.notes.clone_from(&judged.oddities);
    report.markers = cell::markers(&cells);
    let series = |series: timeline::Series| Series {
        name: series.name.to_owned(),
        unit: series.unit.to_owned(),
        group: series.group.to_owned(),
        points: series.points,
    };
    report.series = judged.series.into_iter().map(series).collect();
    Ok((report, cells))
}

/// When the traffic began, by the calendar.
fn began(case: &Case) -> Option<String> {
    let harness = &case.harness;
    let started: jiff::Timestamp = harness.opened.as_ref()?.started.as_ref()?.parse().ok()?;
    let armed = started.checked_add(harness.armed.since(Moment::ZERO)).ok()?;
    harness.is_armed().then(|| format!("{armed:.3}"))
}

/// The promise of whoever has a breaker.
const BREAKER: &str = "breaker-opens";

/// What is certain of one breaker.
fn breaker(breaker: &timeline::Breaker) -> Breaker {
    let guards = match breaker.guards {
        None => "all calls".to_owned(),
        Some(route) => format!("{} calls", serde_json::json!(route).as_str().unwrap_or_default()),
    };
    let span = |(state, from_ms, until_ms): &(timeline::BreakerState, u64, u64)| BreakerSpan {
        state: match state {
            timeline::BreakerState::Closed => BreakerState::Closed,
            timeline::BreakerState::HalfOpen => BreakerState::HalfOpen,
            timeline::BreakerState::Open => BreakerState::Open,
        },
        from_ms: *from_ms,
        until_ms: *until_ms,
    };
    Breaker { guards, states: breaker.spans.iter().map(span).collect() }
}

/// Why a promise that is all about an alert was never made: none is named, and none came.
fn unheard(id: &str, case: &Case) -> Option<String> {
    let kind = AlertKind::all_of(id)?;
    let named = case.alert_names.contains_key(&kind);
    let key = kind.key();
    (!named && case.target.alerts.is_empty()).then(|| {
        format!("no alert came, and [observe.alerts] {key} names none: send them to {{alerts.url}}")
    })
}

/// Where nothing was judged: how the scenario ended, why, and what is said beside each guarantee.
struct Unjudged {
    ending: Ending,
    why: String,
    reason: String,
}

/// A scenario of which nothing was judged.
fn unjudged(report: ScenarioReport, plan: &Plan, of: Unjudged) -> (ScenarioReport, Vec<Cell>) {
    let Unjudged { ending, why, reason } = of;
    let cells = plan.guarantees.iter().map(|id| cell::unjudged(plan, id, &reason)).collect();
    (ScenarioReport { ending, ending_reason: Some(why), duration_ms: 0, ..report }, cells)
}

/// The history that is the evidence of something else, or of another version.
fn refused(folder: &RunFolder, plan: &Plan, error: &ReadError) -> Failure {
    let help = match error {
        ReadError::Format { .. } => {
            "judge it with the version that recorded it, or run the scenario again"
        }
        ReadError::Identity { .. } => {
            "put the recorded run.json back, or run again: what severities and minimums are asked for stands \
             in the configuration of a run"
        }
        _ => "put back what this run recorded of this scenario, or run it again",
    };
    Failure::usage(format!("{}: {error}", folder.history(&plan.id).display()), help)
}

/// The scenario's history, named from the run's folder: the report is the same wherever that is.
fn file_of(plan: &Plan) -> String {
    format!("scenarios/{}/history.ndjson.zst", plan.id)
}

/// What there is cannot be read, or is not what was recorded.
fn unread(error: &ReadError, plan: &Plan, shortfall: Option<&Shortfall>) -> Unjudged {
    let file = file_of(plan);
    let missing = matches!(error, ReadError::Io(io) if io.kind() == std::io::ErrorKind::NotFound);
    match shortfall {
        Some(shortfall) if missing => not_begun(shortfall),
        None if missing => {
            let why = format!(
                "there is no {file}: the run ended before this scenario began, or it was taken away"
            );
            Unjudged { ending: Ending::Interrupted, reason: why.clone(), why }
        }
        _ => {
            let why =
                format!("{file}: {error}; put the recorded file back, or run the scenario again");
            Unjudged { ending: Ending::EvidenceLost, reason: why.clone(), why }
        }
    }
}

/// The traffic had not begun.
fn not_begun(shortfall: &Shortfall) -> Unjudged {
    let (ending, reason) = match shortfall.kind {
        Kind::Failed => (Ending::SetupFailed, "the scenario could not be set up"),
        kind @ (Kind::Crashed | Kind::Interrupted) => (cut_short(kind), kind.words()),
    };
    Unjudged { ending, why: shortfall.why.trim().to_owned(), reason: reason.to_owned() }
}

/// The traffic had begun.
const fn cut_short(kind: Kind) -> Ending {
    match kind {
        Kind::Failed | Kind::Crashed => Ending::HarnessLost,
        Kind::Interrupted => Ending::Interrupted,
    }
}

/// How a recording ended, and why it did not run to its end.
fn ending(case: &Case, plan: &Plan) -> (Ending, Option<String>) {
    match &case.harness.outcome {
        Some(Outcome::Completed) => (Ending::Completed, None),
        Some(Outcome::Interrupted) => {
            (Ending::Interrupted, Some("Ctrl-C or a signal stopped it".to_owned()))
        }
        Some(Outcome::TargetLost { how }) => {
            let restarted = |process: &Process| matches!(process.change, Change::NotReady { .. });
            let what = if case.target.processes.iter().any(restarted) {
                "the target did not come back after the plan had ended it"
            } else {
                "the target ended in mid-run"
            };
            (Ending::TargetLost, Some(format!("{what} ({how}){}", token_expired(case))))
        }
        Some(Outcome::Unreached { why }) => (Ending::Unreached, Some(why.clone())),
        None => {
            let file = file_of(plan);
            let why = format!(
                "the recording broke off: {file} has no closing line; it was judged as far as it goes"
            );
            (Ending::Interrupted, Some(why))
        }
    }
}

/// Why a target may be lost that was not let into the vault, if its last word there was an expired token.
fn token_expired(case: &Case) -> &'static str {
    match case.linktree.secret_reads.last() {
        Some(read) if read.token == "expired" => {
            "; the vault had refused its token, which had expired as planned: does it log in again, \
             with {vault.role_id} and {vault.secret_id}?"
        }
        _ => "",
    }
}

fn phase(phase: &scenarios::plan::Phase) -> Phase {
    Phase { name: phase.name.clone(), from_ms: phase.from_ms, until_ms: phase.until_ms }
}

/// What failed in the harness, and what follows from it.
fn trouble(trouble: &Trouble, case: &Case) -> String {
    format!("{}; {}", trouble.words(case), trouble.consequence())
}

/// Requests, and connections that a fault broke off before one.
fn met(case: &Case) -> impl Iterator<Item = &JudgedExchange> {
    case.linktree.exchanges.iter().chain(&case.linktree.connections)
}

/// How often a rule hit something: a request or a connection, a webhook, something asked of the vault.
fn hits(rule: &str, case: &Case) -> usize {
    let linktree = &case.linktree;
    let hit = |exchange: &&JudgedExchange| exchange.faults.iter().any(|mark| &*mark.rule == rule);
    // Of a connection to Linktree there is an exchange.
    let elsewhere = |one: &&Handshake| one.listener != Listener::Linktree;
    let deliveries = linktree.deliveries.iter().map(|one| &one.faults);
    let vault = linktree.secret_reads.iter().map(|one| &one.faults);
    let handshakes = linktree.handshakes.iter().filter(elsewhere).map(|one| &one.faults);
    let marked = |faults: &&Vec<FaultMark>| faults.iter().any(|mark| mark.rule == rule);
    met(case).filter(hit).count() + deliveries.chain(vault).chain(handshakes).filter(marked).count()
}

fn window(rule: &mock_server::faults::Rule, judged: &Judged) -> FaultWindow {
    let struck = |process: &Process| process.change.rule() == Some(rule.id.as_str());
    let hits =
        hits(&rule.id, &judged.case) + usize::from(judged.case.target.processes.iter().any(struck));
    FaultWindow {
        rule: rule.id.clone(),
        kind: rule.fault.kind().name().to_owned(),
        from_ms: rule.window.from_ms,
        until_ms: rule.window.until_ms,
        hits: hits as u64,
    }
}

#[allow(clippy::cast_precision_loss)] // figures for people
fn evidence(judged: &Judged) -> Evidence {
    let (case, health) = (&judged.case, &judged.health);
    let generator = case.harness.generator.as_ref();
    let ms = |us: u64| us / 1_000;
    let cpu = |of: fn(&GeneratorReport) -> Option<u64>| generator.and_then(of);
    let mock = cpu(|report| report.mock_cpu_us);
    let own = cpu(|report| report.harness_cpu_us).zip(mock);
    let lag_max = case.harness.timers.filter(|timers| timers.looks > 0);
    let wait_max = case.harness.waits.filter(|waits| waits.looks > 0);
    Evidence {
        operations: judged.operations,
        exchanges: case.linktree.exchanges.len() as u64,
        clicks: judged.clicks,
        faults_hit: met(case).filter(|exchange| !exchange.faults.is_empty()).count() as u64,
        lateness: health.lateness.as_ref().map(|lateness| Lateness {
            p50_us: lateness.quantile_us(0.5),
            p99_us: lateness.quantile_us(0.99),
            max_us: lateness.max_us(),
        }),
        arrivals_planned: health.planned,
        arrivals_sent: health.sent,
        users: generator.map(|report| report.users.into()),
        dispatcher: generator.map(|report| report.dispatcher.clone()),
        dispatch: generator.and_then(|report| report.dispatch).map(|cost| Dispatch {
            releases: cost.releases,
            spins: cost.spins,
            cpu_us: cost.cpu_us,
        }),
        peak_arrivals_per_s: health.peak_per_s as f64,
        cpu: CpuTime {
            generator_ms: own.map(|(all, mock)| ms(all.saturating_sub(mock))),
            mock_ms: mock.map(ms),
            target_ms: cpu(|report| report.target_cpu_us).map(ms),
        },
        held: held(case),
        tolerance: Tolerance {
            delta_ms: case.harness.tolerances.map(|measured| measured.delta_us as f64 / 1e3),
            lag_max_ms: lag_max.map(|timers| timers.latest_us as f64 / 1e3),
            wait_max_ms: wait_max.map(|waits| waits.longest_us as f64 / 1e3),
        },
    }
}

/// What the target held while there was traffic.
fn held(case: &Case) -> Option<Held> {
    let looks = case.target.held.iter().filter(|one| one.at >= case.harness.armed);
    let (memory, files): (Vec<u64>, Vec<Option<u64>>) =
        looks.map(|one| (one.resident_bytes, one.open_files)).unzip();
    let files: Option<Vec<u64>> = files.into_iter().collect();
    Some(Held {
        looks: memory.len() as u64,
        resident_bytes: Course::of(&memory)?,
        open_files: files.and_then(|files| Course::of(&files)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mock_server::profile::ContractProfile;
    use scenarios::catalogue::{Settings, run_plan};
    use scenarios::history::Event;
    use serde_json::json;

    #[test]
    fn a_rule_hits_what_is_asked_of_the_vault_and_connections_to_it() {
        let run = run_plan(&Settings::default(), ContractProfile::linktree_v1(), &["steady-state"]);
        let mut case = Case::new(&run, &run.scenarios[0]);
        let marks = json!([{ "rule": "bad", "kind": "bad-certificate", "key": "k", "nth": 0 }]);
        for listener in ["vault", "linktree", "alerts"] {
            let handshake = json!({
                "listener": listener, "t_conn": 1, "t_end": 2, "end": "alert", "faults": marks,
            });
            case.take(Event::Handshake(serde_json::from_value(handshake).unwrap()));
        }
        let read = json!({
            "at": 1, "method": "GET", "path": "/v1/x", "token": "run", "status": 503, "faults": marks,
        });
        case.take(Event::SecretRead(serde_json::from_value(read).unwrap()));
        // A connection to Linktree is an exchange, or it is none that was hit.
        assert_eq!((hits("bad", &case), hits("other", &case)), (3, 0));
    }
}
