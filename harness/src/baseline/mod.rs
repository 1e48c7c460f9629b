//! What was approved of each scenario, in files that people review like snapshots, and what is new since.
//!
//! A baseline is a folder with one `<scenario>.snap` for each scenario ([`file`]). It says which promises
//! the scenario decides, what was found of each and what was promised, and no number that differs from
//! run to run. The reference's own stands in `reports/snapshots/reference` and is the same thing.

pub mod base;
pub mod changes;
pub mod file;
pub mod folder;
pub mod frame;
pub mod kept;
pub mod moved;
mod text;

pub use base::Base;
pub use changes::Comparison;
pub use frame::Frame;
pub use kept::Kept;
pub use text::{comparison, measures};

use crate::evidence::hash;
use mock_server::world::WorldEvent;
use reports::report::{Cell, Report, Severity, Standing};
use scenarios::plan::{Plan, RunPlan};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was approved of one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// Its id.
    pub scenario: String,
    /// `quick` or `nightly`.
    pub profile: String,
    /// What the run divides contract durations by.
    pub time_scale: u32,
    /// The contract's name.
    pub contract: String,
    /// How the target was reached: `embedded`, `spawn`, `url`.
    pub target: String,
    /// The beginning of the SHA-256 of its plan, contract and declared policy, without what the seed decides.
    pub plan: String,
    /// Why it was approved although something was violated or could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it watches besides: of these only violations stand below.
    pub watches: Vec<String>,
    /// What was found of each promise that it decides.
    pub guarantees: BTreeMap<String, Finding>,
}

/// What was found of one promise in one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The verdict.
    pub verdict: Standing,
    /// What a violation means for the run, where that is not its failure.
    #[serde(default, skip_serializing_if = "is_must")]
    pub severity: Severity,
    /// The numbers that are promised, in contract time; none where the promise has none to set.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bound: String,
    /// Whether the promise was put to the test at all.
    pub exercised: bool,
    /// Whether as much was seen of everything as must have been.
    pub minimum_met: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_must(severity: &Severity) -> bool {
    *severity == Severity::Must
}

impl Approved {
    /// What a run found in each of its scenarios, in their order.
    #[must_use]
    pub fn of(report: &Report, run: &RunPlan) -> Vec<Self> {
        let kind = &report.identity.target.kind;
        let one =
            |plan| Self { guarantees: found(report, run, plan), ..Self::empty(run, plan, kind) };
        run.scenarios.iter().map(one).collect()
    }

    /// A scenario of which nothing was found yet.
    #[must_use]
    pub fn empty(run: &RunPlan, plan: &Plan, target: &str) -> Self {
        let Frame { profile, time_scale, contract, target } = Frame::of(run, target);
        Self {
            scenario: plan.id.clone(),
            profile,
            time_scale,
            contract,
            target,
            plan: fingerprint(run, plan),
            reason: None,
            watches: plan.watches.clone(),
            guarantees: BTreeMap::new(),
        }
    }

    /// What it is comparable by.
    #[must_use]
    pub fn frame(&self) -> Frame {
        Frame {
            profile: self.profile.clone(),
            time_scale: self.time_scale,
            contract: self.contract.clone(),
            target: self.target.clone(),
        }
    }

    /// What nobody approves without a reason: a promise that must hold and did not, or was not judged.
    pub fn unsound(&self) -> impl Iterator<Item = (&str, &Finding)> {
        let sound = |finding: &Finding| match finding.verdict {
            Standing::Held | Standing::NotApplicable => true,
            Standing::Violated | Standing::Inconclusive => finding.severity != Severity::Must,
        };
        let all = self.guarantees.iter().map(|(id, finding)| (id.as_str(), finding));
        all.filter(move |(_, finding)| !sound(finding))
    }
}

/// What was found of each promise that a scenario decides, and of those that it watches and saw broken.
fn found(report: &Report, run: &RunPlan, plan: &Plan) -> BTreeMap<String, Finding> {
    let finding = |id: &str, cell: Option<&Cell>| {
        let guarantee = report.guarantees.iter().find(|guarantee| guarantee.id == id);
        let exercised = cell.is_some_and(|cell| cell.seen > 0);
        let enough = |cell: &Cell| cell.strength.iter().all(|one| one.seen >= one.least);
        Finding {
            // What was to be decided and has no cell was not judged.
            verdict: cell.map_or(Standing::Inconclusive, |cell| cell.verdict),
            severity: guarantee.map_or(Severity::Must, |guarantee| guarantee.severity),
            bound: promised(run, id),
            exercised,
            minimum_met: exercised && cell.is_some_and(enough),
        }
    };
    let cell = |id: &str| {
        report.cells.iter().find(|cell| cell.guarantee == id && cell.scenario == plan.id)
    };
    let decided = plan.guarantees.iter().map(|id| (id.clone(), finding(id, cell(id))));
    let watched = plan.watches.iter().filter_map(|id| {
        let broken = cell(id).filter(|cell| cell.verdict == Standing::Violated)?;
        Some((id.clone(), finding(id, Some(broken))))
    });
    decided.chain(watched).collect()
}

/// The numbers that a guarantee promises, as the plan writes them out.
#[must_use]
pub fn promised(run: &RunPlan, guarantee: &str) -> String {
    let named = run.bounds.get(guarantee).into_iter().flatten();
    named.map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}

/// What a scenario does and promises, whatever the seed. That decides which fault strikes whom and when, so
/// that of faults, and of what happens in the world, the kinds are taken and how many there are of each.
/// Bounds are left out: they stand beside their guarantees.
///
/// # Panics
///
/// Never: plans hold no maps with keys that JSON could not write.
fn fingerprint(run: &RunPlan, plan: &Plan) -> String {
    let mut faults: Vec<String> =
        plan.faults.iter().map(|rule| rule.fault.kind().to_string()).collect();
    faults.sort_unstable();
    let mut world: Vec<String> = plan.world.iter().map(|timed| kind(&timed.event)).collect();
    world.sort_unstable();
    let plan = Plan { seed: 0, faults: Vec::new(), world: Vec::new(), ..plan.clone() };
    let all = (&run.contract, &run.declared, &run.alerts, &plan, &faults, &world);
    let all = serde_json::to_vec(&all).expect("a plan is always valid JSON");
    hash::beginning(&hash::of(&all)).to_owned()
}

/// What an event of the world is called in a plan.
fn kind(event: &WorldEvent) -> String {
    let event = serde_json::to_value(event).expect("a plan is always valid JSON");
    event["kind"].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
pub mod tests;
