//! Tells what was promised, what was run, and how to run it again.

use crate::evidence::folder::RunIdentity;
use reports::report::{
    Cell, Contract, GuaranteeReport, Identity, Machine, Priority, TargetIdentity,
};
use scenarios::plan::RunPlan;
use scenarios::{checklist, guarantees};

/// A promise as it was judged.
pub fn guarantee(
    promise: &guarantees::Promise,
    cell: &Cell,
    identity: &RunIdentity,
) -> GuaranteeReport {
    let judging = &identity.judging;
    GuaranteeReport {
        id: promise.id.to_owned(),
        section: checklist::section(promise.id).to_owned(),
        statement: promise.statement.to_owned(),
        priority: priority(promise.priority),
        severity: judging.severity(promise.id),
        bound: cell.promised.clone(),
        bound_source: judging.source(promise.id).unwrap_or(promise.source).to_owned(),
        why: promise.why.to_owned(),
        usual_fix: promise.usual_fix.to_owned(),
        blind_to: promise.blind_to.to_owned(),
        follows: checklist::follows(promise.id).iter().map(|id| (*id).to_owned()).collect(),
    }
}

/// How much hangs on a promise.
pub const fn priority(priority: guarantees::Priority) -> Priority {
    match priority {
        guarantees::Priority::Critical => Priority::Critical,
        guarantees::Priority::High => Priority::High,
        guarantees::Priority::Standard => Priority::Standard,
    }
}

/// What was run, on what, with which numbers.
pub fn identity(identity: &RunIdentity, run: &RunPlan) -> Identity {
    Identity {
        seed: run.seed.to_string(),
        plan_hash: identity.plan_hash.clone(),
        config_hash: identity.config_hash.clone(),
        profile: run.profile.clone(),
        time_scale: f64::from(run.time_scale),
        contract: Contract { name: run.contract.name.clone(), assumed: run.contract.assumed },
        target: TargetIdentity {
            kind: identity.target.kind().to_owned(),
            name: identity.target.name(),
            version: identity.version.clone(),
            mutant: identity.target.mutant().cloned(),
        },
        machine: Machine { cores: identity.cores, os: identity.os.clone() },
        versions: [("windthrow".to_owned(), identity.tool_version.clone())].into(),
    }
}
