//! Judges one recorded scenario: two passes over its history, no clock, no traffic.

use super::reader::{self, ReadError};
use scenarios::case::Case;
use scenarios::guarantees::{self, Guarantee};
use scenarios::health::Health;
use scenarios::history::Outcome;
use scenarios::judging::Judging;
use scenarios::plan::{Plan, RunPlan};
use scenarios::timeline::{Series, Timeline};
use scenarios::verdict::Verdict;
use std::path::Path;

/// A judged scenario.
pub struct Judged {
    /// Everything but the operations.
    pub case: Case,
    /// Verdicts in checklist order.
    pub verdicts: Vec<(&'static str, Verdict)>,
    /// Front-door operations in the history.
    pub operations: u64,
    /// How well the harness did its own work.
    pub health: Health,
    /// Of the operations, clicks that were acknowledged.
    pub clicks: u64,
    /// What is drawn.
    pub series: Vec<Series>,
}

/// Judges the guarantees that the plan names, be they decided or watched.
///
/// # Errors
///
/// [`ReadError`] when the history cannot be read.
pub fn judge(path: &Path, run: &RunPlan, plan: &Plan) -> Result<Judged, ReadError> {
    let case = reader::read_case(path, run, plan)?;
    let named = |guarantee: &&'static dyn Guarantee| plan.judges(guarantee.promise().id);
    let chosen: Vec<_> = guarantees::GUARANTEES.iter().copied().filter(named).collect();
    let mut judging = Judging::begin(&case, &chosen);
    let mut timeline = Timeline::of(&case);
    let (mut operations, mut clicks) = (0, 0);
    reader::each_operation(path, |operation| {
        operations += 1;
        clicks += u64::from(operation.click().is_some() && operation.is_ok());
        timeline.operation(operation);
        judging.operation(operation);
    })?;
    let (health, verdicts) = judging.verdicts();
    let verdicts = verdicts
        .into_iter()
        .map(|(id, verdict)| (id, as_far_as(verdict, case.harness.outcome.as_ref())));
    let verdicts = verdicts.collect();
    let series = timeline.series();
    Ok(Judged { verdicts, operations, health, clicks, series, case })
}

/// A recording that broke off proves no promise: what held so far is inconclusive. A violation that
/// was seen stays one. Without a storm nothing was seen at all.
fn as_far_as(verdict: Verdict, outcome: Option<&Outcome>) -> Verdict {
    match outcome {
        Some(Outcome::Completed) => verdict,
        Some(Outcome::Unreached { why }) => Verdict::inconclusive(why.clone()),
        _ => verdict.only_if(false, "the scenario did not run to its end"),
    }
}
