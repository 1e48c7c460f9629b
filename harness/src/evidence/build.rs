//! Builds the report from a run's folder alone: identity, plan and histories in, one value out.
//!
//! The same folder gives the same report, which is what `recheck` proves.

use super::folder::{RunFolder, RunIdentity};
use super::judging::{Judged, judge};
use super::plans;
use crate::failure::Failure;
use mock_server::clock::Moment;
use mock_server::history::exchange::Exchange;
use reports::report::{
    Contract, CounterExample, CpuTime, Evidence, FaultWindow, GuaranteeReport, Identity, Judgement,
    Lateness, Machine, Marker, NotTested, Outcome, Phase, Priority, Report, ScenarioReport, Series,
    Severity, Target, Tolerance, Verdict,
};
use scenarios::case::Case;
use scenarios::guarantees::{self, GUARANTEES};
use scenarios::history::{Change, Outcome as Ended, Process};
use scenarios::plan::{Plan, RunPlan};
use scenarios::verdict::{Verdict as Judgment, VerdictKind, Witness};

/// The report of a run.
///
/// # Errors
///
/// [`Failure::Usage`] when the folder is not a run's or its plan does not parse.
pub fn report(folder: &RunFolder) -> Result<Report, Failure> {
    let identity = folder.read_identity()?;
    let run = plans::read(&folder.plan())?;
    let mut scenarios = Vec::new();
    let mut judgements = Vec::new();
    for plan in &run.scenarios {
        let (scenario, cells) = one_scenario(folder, &identity, &run, plan);
        scenarios.push(scenario);
        judgements.extend(cells);
    }
    for cell in &mut judgements {
        if let Some(why) = identity.judging.not_applicable(&cell.guarantee) {
            let (guarantee, scenario) = (cell.guarantee.clone(), cell.scenario.clone());
            let verdict = Verdict::NotApplicable;
            let reason = Some(why);
            *cell = Judgement { guarantee, scenario, verdict, reason, ..Judgement::default() };
        }
    }
    let checklist_order =
        |cell: &Judgement| GUARANTEES.iter().position(|known| known.promise().id == cell.guarantee);
    judgements.sort_by_key(checklist_order);
    for cell in &mut judgements {
        cell.rerun = rerun(&identity, &run, Some(&cell.scenario));
    }
    let judged = |id: &str| judgements.iter().find(|cell| cell.guarantee == id);
    let guarantees = GUARANTEES
        .iter()
        .filter_map(|known| {
            judged(known.promise().id).map(|cell| describe(known.promise(), cell, &identity))
        })
        .collect();
    let not_tested = GUARANTEES.iter().map(|known| known.promise().id);
    let not_tested = not_tested.filter(|id| judged(id).is_none()).map(|id| NotTested {
        id: id.to_owned(),
        reason: "no scenario of this run exercises it".to_owned(),
    });
    let not_tested = not_tested.collect();
    let mut report = Report {
        tool_version: identity.tool_version.clone(),
        run_id: identity.run_id.clone(),
        started: identity.started.clone(),
        identity: describe_run(&identity, &run),
        rerun: rerun(&identity, &run, None),
        scenarios,
        guarantees,
        judgements,
        not_tested,
        ..Report::default()
    };
    report.verdict = overall(&report, &identity);
    report.sentence = sentence(&report);
    Ok(report)
}

fn one_scenario(
    folder: &RunFolder,
    identity: &RunIdentity,
    run: &RunPlan,
    plan: &Plan,
) -> (ScenarioReport, Vec<Judgement>) {
    let mut report = ScenarioReport {
        id: plan.id.clone(),
        title: plan.summary.clone(),
        duration_ms: plan.duration_ms(),
        phases: plan.phases.iter().map(phase).collect(),
        outcome: Outcome::SetupFailed,
        verdict: Verdict::Inconclusive,
        ..ScenarioReport::default()
    };
    let unjudged = |reason: &str| {
        let cell = |id: &String| Judgement {
            guarantee: id.clone(),
            scenario: plan.id.clone(),
            verdict: Verdict::Inconclusive,
            reason: Some(reason.to_owned()),
            ..Judgement::default()
        };
        plan.guarantees.iter().map(cell).collect::<Vec<_>>()
    };
    if let Ok(why) = std::fs::read_to_string(folder.setup_failure(&plan.id)) {
        let cells = unjudged("the scenario could not be set up");
        report.outcome_reason = Some(why.trim().to_owned());
        return (report, cells);
    }
    let judged = match judge(&folder.history(&plan.id), run, plan) {
        Ok(judged) => judged,
        Err(error) => {
            let why = format!("{error}");
            let cells = unjudged(&why);
            report.outcome_reason = Some(why);
            return (report, cells);
        }
    };
    (report.outcome, report.outcome_reason) = match &judged.case.outcome {
        Some(Ended::Completed) => (Outcome::Completed, None),
        Some(Ended::Interrupted) => (Outcome::Interrupted, Some("it was interrupted".to_owned())),
        Some(Ended::TargetLost { how }) => {
            let restarted = |process: &Process| matches!(process.change, Change::NotReady { .. });
            let what = if judged.case.processes.iter().any(restarted) {
                "the target did not come back after the plan had ended it"
            } else {
                "the target ended in mid-run"
            };
            (Outcome::TargetLost, Some(format!("{what} ({how})")))
        }
        Some(Ended::Unreached { why }) => (Outcome::Unreached, Some(why.clone())),
        None => (Outcome::Interrupted, Some("the recording broke off".to_owned())),
    };
    let enough = |(id, verdict): &(&'static str, Judgment)| {
        cell(plan, &judged, id, &identity.judging.enough(id, verdict.clone()))
    };
    let cells: Vec<Judgement> = judged.verdicts.iter().map(enough).collect();
    report.verdict = worst(cells.iter().map(|cell| cell.verdict));
    report.fault_windows = plan.faults.iter().map(|rule| window(rule, &judged)).collect();
    report.evidence = evidence(&judged);
    report.markers = markers(&cells);
    let series = |series: scenarios::timeline::Series| Series {
        name: series.name.to_owned(),
        unit: series.unit.to_owned(),
        group: series.group.to_owned(),
        points: series.points,
    };
    report.series = judged.series.into_iter().map(series).collect();
    (report, cells)
}

fn phase(phase: &scenarios::plan::Phase) -> Phase {
    Phase { name: phase.name.clone(), from_ms: phase.from_ms, until_ms: phase.until_ms }
}

/// Requests, and connections that a fault broke off before one.
fn met(case: &Case) -> impl Iterator<Item = &Exchange> {
    case.exchanges.iter().chain(&case.connections)
}

fn window(rule: &mock_server::faults::Rule, judged: &Judged) -> FaultWindow {
    let hit = |exchange: &&Exchange| exchange.faults.iter().any(|mark| mark.rule == rule.id);
    let struck = |process: &&Process| process.change.rule() == Some(rule.id.as_str());
    let hits = met(&judged.case).filter(hit).count()
        + usize::from(judged.case.processes.iter().any(|process| struck(&process)));
    FaultWindow {
        rule: rule.id.clone(),
        kind: rule.fault.kind().to_owned(),
        from_ms: rule.window.from_ms,
        until_ms: rule.window.until_ms,
        hits: hits as u64,
    }
}

fn cell(plan: &Plan, judged: &Judged, id: &str, verdict: &Judgment) -> Judgement {
    let case = &judged.case;
    let active_at = |moment: Moment| {
        let ms = case.plan_ms(moment);
        let active = plan
            .faults
            .iter()
            .filter(move |rule| rule.window.from_ms <= ms && ms < rule.window.until_ms);
        active.map(|rule| format!("{} ({})", rule.id, rule.fault.kind())).collect()
    };
    let counter_example = |witness: &Witness| CounterExample {
        at_ms: case.plan_ms(witness.at),
        promised: verdict.promised.clone(),
        observed: witness.what.clone(),
        story: witness.story.clone(),
        active_faults: active_at(witness.at),
    };
    Judgement {
        guarantee: id.to_owned(),
        scenario: plan.id.clone(),
        verdict: kind(verdict.kind),
        seen: verdict.seen,
        of_what: verdict.of_what.clone(),
        observed: verdict.observed.clone(),
        promised: verdict.promised.clone(),
        margin: None,
        reason: verdict.reason.clone(),
        counter_examples: verdict.witnesses.iter().map(counter_example).collect(),
        total_violations: verdict.violations,
        rerun: String::new(),
        check_next: guarantees::find(id)
            .map_or_else(String::new, |known| known.promise().usual_fix.to_owned()),
    }
}

fn markers(cells: &[Judgement]) -> Vec<Marker> {
    let of_cell = |cell: &Judgement| {
        let guarantee = cell.guarantee.clone();
        let marker = move |example: &CounterExample| Marker {
            at_ms: example.at_ms,
            label: example.observed.clone(),
            guarantee: Some(guarantee.clone()),
        };
        cell.counter_examples.iter().map(marker).collect::<Vec<_>>()
    };
    let mut markers: Vec<Marker> = cells.iter().flat_map(of_cell).collect();
    markers.sort_by_key(|marker| marker.at_ms);
    markers
}

#[allow(clippy::cast_precision_loss)] // figures for people
fn evidence(judged: &Judged) -> Evidence {
    let case = &judged.case;
    let generator = case.generator.clone().unwrap_or_default();
    let ms = |us: u64| Some(us / 1_000);
    let lag_max = case.lags.iter().map(|lag| lag.1).max().unwrap_or_default();
    Evidence {
        operations: judged.operations,
        exchanges: case.exchanges.len() as u64,
        clicks: judged.clicks,
        faults_hit: met(case).filter(|exchange| !exchange.faults.is_empty()).count() as u64,
        lateness: Lateness {
            p50_us: generator.lateness_p50_us,
            p99_us: generator.lateness_p99_us,
            max_us: generator.lateness_max_us,
        },
        users: u64::from(generator.users),
        dispatcher: generator.dispatcher,
        peak_arrivals_per_s: generator.peak_per_s as f64,
        cpu: CpuTime {
            generator_ms: ms(generator.harness_cpu_us.saturating_sub(generator.mock_cpu_us)),
            mock_ms: ms(generator.mock_cpu_us),
            target_ms: ms(generator.target_cpu_us),
        },
        tolerance: Tolerance {
            delta_ms: case.delta.as_secs_f64() * 1e3,
            lag_max_ms: lag_max.as_secs_f64() * 1e3,
        },
    }
}

const fn kind(kind: VerdictKind) -> Verdict {
    match kind {
        VerdictKind::Held => Verdict::Held,
        VerdictKind::Violated => Verdict::Violated,
        VerdictKind::Inconclusive => Verdict::Inconclusive,
    }
}

/// Violated before inconclusive before held; nothing at all is inconclusive.
fn worst(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::NotApplicable => 0,
        Verdict::Held => 1,
        Verdict::Inconclusive => 2,
        Verdict::Violated => 3,
    };
    match verdicts.max_by_key(rank) {
        None | Some(Verdict::NotApplicable) => Verdict::Inconclusive,
        Some(verdict) => verdict,
    }
}

/// The worst of what must hold.
fn overall(report: &Report, identity: &RunIdentity) -> Verdict {
    let must = |cell: &&Judgement| identity.judging.severity(&cell.guarantee) == Severity::Must;
    worst(report.judgements.iter().filter(must).map(|cell| cell.verdict))
}

fn describe(
    promise: &guarantees::Promise,
    cell: &Judgement,
    identity: &RunIdentity,
) -> GuaranteeReport {
    let judging = &identity.judging;
    GuaranteeReport {
        id: promise.id.to_owned(),
        statement: promise.statement.to_owned(),
        priority: match promise.priority {
            guarantees::Priority::Critical => Priority::Critical,
            guarantees::Priority::High => Priority::High,
            guarantees::Priority::Standard => Priority::Standard,
        },
        severity: judging.severity(promise.id),
        bound: cell.promised.clone(),
        bound_source: judging.source(promise.id).unwrap_or(promise.source).to_owned(),
        why: promise.why.to_owned(),
        usual_fix: promise.usual_fix.to_owned(),
        blind_to: promise.blind_to.to_owned(),
    }
}

fn describe_run(identity: &RunIdentity, run: &RunPlan) -> Identity {
    Identity {
        seed: run.seed.to_string(),
        plan_hash: identity.plan_hash.clone(),
        profile: run.profile.clone(),
        time_scale: f64::from(run.time_scale),
        contract: Contract { name: run.contract.name.clone(), assumed: run.contract.assumed },
        target: Target {
            kind: identity.target.kind().to_owned(),
            name: identity.target.name(),
            mutant: identity.target.mutant().cloned(),
        },
        machine: Machine { cores: identity.cores, os: identity.os.clone() },
        versions: [("windthrow".to_owned(), identity.tool_version.clone())].into(),
    }
}

/// The command that repeats the run, or one scenario of it with the same seed.
fn rerun(identity: &RunIdentity, run: &RunPlan, scenario: Option<&str>) -> String {
    let Some(scenario) = scenario else { return identity.rerun.clone() };
    if identity.rerun.contains("--plan") {
        return format!("{} {scenario}", identity.rerun);
    }
    let mutant = identity.target.mutant().map_or(String::new(), |m| format!(" --mutant {m}"));
    format!(
        "windthrow run {scenario} --seed {} --profile {} --time-scale {}{mutant}",
        run.seed, run.profile, run.time_scale
    )
}

fn sentence(report: &Report) -> String {
    let count = |verdict: Verdict| {
        let ids = report.judgements.iter().filter(|cell| cell.verdict == verdict);
        ids.map(|cell| cell.guarantee.as_str()).collect::<std::collections::BTreeSet<_>>().len()
    };
    let (scenarios, promises) = (report.scenarios.len(), report.guarantees.len());
    let (violated, unclear) = (count(Verdict::Violated), count(Verdict::Inconclusive));
    match report.verdict {
        Verdict::Violated => format!(
            "{violated} of {promises} promises broken in {scenarios} scenarios; do not launch."
        ),
        Verdict::Held => {
            format!("All {promises} promises held in {scenarios} scenarios.")
        }
        Verdict::Inconclusive | Verdict::NotApplicable => {
            format!("No promise was seen broken, but {unclear} of {promises} could not be judged.")
        }
    }
}
