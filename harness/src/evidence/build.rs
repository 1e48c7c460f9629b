//! Builds the report from a run's folder alone: identity, plan and histories in, one value out.
//!
//! The same folder gives the same report, which is what `recheck` proves.

mod about;
mod cell;
mod context;
mod scenario;
mod sentence;
mod why;

use super::folder::{RunFolder, RunIdentity};
use super::recorded::Recorded;
use crate::failure::Failure;
use reports::report::{Cell, NotTested, Report, Severity, Standing};
use scenarios::checklist::{self, CHECKLIST, Row};
use scenarios::guarantees::{self, GUARANTEES};
use scenarios::plan::RunPlan;

/// The report of a run.
///
/// # Errors
///
/// Those of [`Recorded::judged`].
pub fn report(folder: &RunFolder) -> Result<Report, Failure> {
    Ok(Recorded::judged(folder)?.report)
}

/// The same, by what its folder says of it.
///
/// # Errors
///
/// [`Failure::Usage`] when a history is not this run's.
pub fn judged(
    folder: &RunFolder,
    identity: &RunIdentity,
    run: &RunPlan,
) -> Result<Report, Failure> {
    let mut scenarios = Vec::new();
    let mut cells = Vec::new();
    for plan in &run.scenarios {
        let (scenario, judged) = scenario::scenario(folder, identity, run, plan)?;
        scenarios.push(scenario);
        cells.extend(judged);
    }
    for cell in &mut cells {
        if let Some(why) = identity.judging.not_applicable(&cell.guarantee) {
            *cell = cell::not_applicable(cell, why);
        }
        cell.rerun = identity.rerun.command(Some(&cell.scenario));
    }
    // What does not apply to this integration is no weakness of a scenario.
    for scenario in &mut scenarios {
        let of_scenario = cells.iter().filter(|cell| cell.scenario == scenario.id);
        scenario.verdict = worst(of_scenario.map(|cell| cell.verdict));
    }
    let checklist_order =
        |cell: &Cell| GUARANTEES.iter().position(|known| known.promise().id == cell.guarantee);
    cells.sort_by_key(checklist_order);
    // Where nothing was recorded nothing says what was promised.
    let judged = |id: &str| {
        let of_guarantee = cells.iter().filter(|cell| cell.guarantee == id);
        of_guarantee.min_by_key(|cell| cell.promised.is_empty())
    };
    let guarantees = GUARANTEES
        .iter()
        .filter_map(|known| {
            let promise = known.promise();
            judged(promise.id).map(|cell| about::guarantee(promise, cell, identity))
        })
        .collect();
    let exercised = |id: &str| judged(id).is_some();
    let not_tested = CHECKLIST.iter().filter(|row| !exercised(row.id));
    let not_tested = not_tested.map(|row| self::not_tested(row, identity, run)).collect();
    let mut report = Report {
        tool_version: identity.tool_version.clone(),
        run_id: identity.run_id.clone(),
        started: identity.started.clone(),
        identity: about::identity(identity, run),
        rerun: identity.rerun.command(None),
        scenarios,
        guarantees,
        cells,
        not_tested,
        ..Report::default()
    };
    report.verdict = overall(&report);
    report.sentence = sentence::sentence(&report);
    if let Some(edited) = identity.rerun.edited() {
        report.sentence = format!("{} {edited}", report.sentence);
    }
    report.why = why::why(&report);
    Ok(report)
}

/// A row of the checklist that this run says nothing about.
fn not_tested(row: &Row, identity: &RunIdentity, run: &RunPlan) -> NotTested {
    let is_watched = || run.scenarios.iter().any(|plan| plan.watches.iter().any(|id| id == row.id));
    let reason = match (guarantees::find(row.id), identity.judging.not_applicable(row.id)) {
        (None, _) => "no judge yet".to_owned(),
        (Some(_), Some(why)) => format!("not applicable: {why}"),
        (Some(_), None) if is_watched() => {
            "only watched by scenarios of this run, which saw too little of it to judge".to_owned()
        }
        (Some(_), None) => "not exercised by the scenarios of this run".to_owned(),
    };
    NotTested {
        id: row.id.to_owned(),
        section: checklist::section(row.id).to_owned(),
        priority: about::priority(row.priority),
        reason,
    }
}

/// Violated before inconclusive before held; nothing at all is inconclusive.
fn worst(verdicts: impl Iterator<Item = Standing>) -> Standing {
    let rank = |verdict: &Standing| match verdict {
        Standing::NotApplicable => 0,
        Standing::Held => 1,
        Standing::Inconclusive => 2,
        Standing::Violated => 3,
    };
    match verdicts.max_by_key(rank) {
        None | Some(Standing::NotApplicable) => Standing::Inconclusive,
        Some(verdict) => verdict,
    }
}

/// The worst of what must hold.
fn overall(report: &Report) -> Standing {
    let must = |cell: &&Cell| {
        let of = report.guarantees.iter().find(|guarantee| guarantee.id == cell.guarantee);
        of.is_none_or(|guarantee| guarantee.severity == Severity::Must)
    };
    worst(report.cells.iter().filter(must).map(|cell| cell.verdict))
}

#[cfg(test)]
mod evidence_tests;
#[cfg(test)]
mod tests;
