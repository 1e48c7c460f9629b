//! Builds the report from a run's folder alone: identity, plan and histories in, one value out.
//!
//! The same folder gives the same report, which is what `recheck` proves.

mod about;
mod cell;
mod scenario;

use super::folder::{RunFolder, RunIdentity};
use super::plans;
use crate::failure::Failure;
use reports::report::{Cell, NotTested, Report, Severity, Standing};
use scenarios::guarantees::GUARANTEES;

/// The report of a run.
///
/// # Errors
///
/// [`Failure::Usage`] when the folder is not a run's or its plan does not parse.
pub fn report(folder: &RunFolder) -> Result<Report, Failure> {
    let identity = folder.read_identity()?;
    let run = plans::read(&folder.plan())?;
    let mut scenarios = Vec::new();
    let mut cells = Vec::new();
    for plan in &run.scenarios {
        let (scenario, judged) = scenario::scenario(folder, &identity, &run, plan)?;
        scenarios.push(scenario);
        cells.extend(judged);
    }
    for cell in &mut cells {
        if let Some(why) = identity.judging.not_applicable(&cell.guarantee) {
            *cell = cell::not_applicable(cell, why);
        }
        cell.rerun = identity.rerun.command(Some(&cell.scenario));
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
            judged(promise.id).map(|cell| about::guarantee(promise, cell, &identity))
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
        identity: about::identity(&identity, &run),
        rerun: identity.rerun.command(None),
        scenarios,
        guarantees,
        cells,
        not_tested,
        ..Report::default()
    };
    report.verdict = overall(&report, &identity);
    report.sentence = sentence(&report);
    Ok(report)
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
fn overall(report: &Report, identity: &RunIdentity) -> Standing {
    let must = |cell: &&Cell| identity.judging.severity(&cell.guarantee) == Severity::Must;
    worst(report.cells.iter().filter(must).map(|cell| cell.verdict))
}

fn sentence(report: &Report) -> String {
    let count = |verdict: Standing| {
        let ids = report.cells.iter().filter(|cell| cell.verdict == verdict);
        ids.map(|cell| cell.guarantee.as_str()).collect::<std::collections::BTreeSet<_>>().len()
    };
    let (scenarios, promises) = (report.scenarios.len(), report.guarantees.len());
    let (violated, unclear) = (count(Standing::Violated), count(Standing::Inconclusive));
    match report.verdict {
        Standing::Violated => format!(
            "{violated} of {promises} promises broken in {scenarios} scenarios; do not launch."
        ),
        Standing::Held => {
            format!("All {promises} promises held in {scenarios} scenarios.")
        }
        Standing::Inconclusive | Standing::NotApplicable => {
            format!("No promise was seen broken, but {unclear} of {promises} could not be judged.")
        }
    }
}

#[cfg(test)]
mod tests;
