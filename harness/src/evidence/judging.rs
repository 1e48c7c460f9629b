//! Judges one recorded scenario: two passes over its history, no clock, no traffic.

use super::folder::{RunFolder, RunIdentity};
use super::reader::{ReadError, Recording, belongs};
use scenarios::case::{Case, HarnessSide};
use scenarios::guarantees::{self, Guarantee};
use scenarios::health::Health;
use scenarios::history::Outcome;
use scenarios::judging::Judging;
use scenarios::oddities::Oddities;
use scenarios::plan::{Plan, RunPlan};
use scenarios::timeline::{Series, Timeline};
use scenarios::verdict::Verdict;

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
    /// What the front door took though it cannot, in words.
    pub oddities: Vec<String>,
    /// What is drawn.
    pub series: Vec<Series>,
}

/// Judges the guarantees that the plan names, be they decided or watched; `cut` says why the recording
/// is not all, where the run knows that.
///
/// # Errors
///
/// [`ReadError`] when the history cannot be read, was altered, or is that of something else.
pub fn judge(
    folder: &RunFolder,
    identity: &RunIdentity,
    run: &RunPlan,
    plan: &Plan,
    cut: Option<&str>,
) -> Result<Judged, ReadError> {
    let recording = Recording::open(&folder.history(&plan.id))?;
    let case = recording.case(run, plan)?;
    if let Some(opened) = &case.harness.opened {
        belongs(opened, identity, &plan.id)?;
    }
    let named = |guarantee: &&'static dyn Guarantee| plan.judges(guarantee.promise().id);
    let chosen: Vec<_> = guarantees::GUARANTEES.iter().copied().filter(named).collect();
    let mut judging = Judging::begin(&case, &chosen);
    let mut timeline = Timeline::of(&case);
    let (mut operations, mut clicks, mut oddities) = (0, 0, Oddities::default());
    recording.each_operation(|operation| {
        operations += 1;
        clicks += u64::from(operation.click().is_some() && operation.is_ok());
        oddities.operation(operation);
        timeline.operation(operation);
        judging.operation(operation);
    })?;
    let (health, verdicts) = judging.verdicts();
    let verdicts =
        verdicts.into_iter().map(|(id, verdict)| (id, as_far_as(verdict, &case.harness, cut)));
    let verdicts = verdicts.collect();
    let series = timeline.series();
    let oddities = oddities.words();
    Ok(Judged { verdicts, operations, health, clicks, oddities, series, case })
}

/// A recording that broke off proves no promise: what held so far is inconclusive. A violation that
/// was seen stays one, unless it is not known when and how exactly it was seen. Without a storm nothing
/// was seen at all.
fn as_far_as(verdict: Verdict, harness: &HarnessSide, cut: Option<&str>) -> Verdict {
    if let Some(Outcome::Unreached { why }) = &harness.outcome {
        return Verdict::inconclusive(why.clone());
    }
    if let Some(fact) = harness.lacks() {
        return Verdict::inconclusive(match harness.completed() {
            true => format!("the history does not say {fact}; run the scenario again"),
            false => format!("the recording broke off before it said {fact}"),
        });
    }
    let verdict = verdict.unless(cut);
    if !harness.completed() {
        return verdict.only_if(false, "the scenario did not run to its end");
    }
    let untold = "the history does not say how good the load generator was (generator)";
    verdict.only_if(harness.generator.is_some(), untold)
}
