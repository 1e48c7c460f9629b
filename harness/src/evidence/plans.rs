//! Reads and writes plan files, with errors that say where and what to do.

use super::format;
use crate::failure::Failure;
use scenarios::plan::{PLAN_FORMAT, RunPlan};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Reads and checks a plan file.
///
/// # Errors
///
/// A usage failure with the place of a syntax error, or with every wrong value at once.
pub fn read(path: &Path) -> Result<RunPlan, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    let anew = "plans of this version are what its runs write to plan.json; edit one of these";
    format::check(path, &text, PLAN_FORMAT, anew)?;
    let plan: RunPlan = serde_json::from_str(&text).map_err(|error| {
        let help = "a plan is what a run writes to plan.json; start from one and edit it";
        Failure::json(path, &text, &error, help)
    })?;
    let problems = match plan.check() {
        Ok(()) => return Ok(plan),
        Err(problems) => problems,
    };
    let line = |problem: &scenarios::plan_check::PlanProblem| {
        format!("\n  {}: {} ({})", problem.path, problem.problem, problem.advice)
    };
    let lines: String = problems.iter().map(line).collect();
    let count = problems.len();
    Err(Failure::usage(
        format!("{} holds a plan that cannot be run; {count} wrong:{lines}", path.display()),
        "mend the values named above",
    ))
}

/// The plan's bytes as they are written, and their SHA-256 in lower hex.
///
/// # Panics
///
/// Never: plans hold no maps with keys that JSON could not write.
#[must_use]
pub fn to_bytes(plan: &RunPlan) -> (Vec<u8>, String) {
    let mut bytes = serde_json::to_vec_pretty(plan).expect("a plan is always valid JSON");
    bytes.push(b'\n');
    let hash = hex::encode(Sha256::digest(&bytes));
    (bytes, hash)
}
