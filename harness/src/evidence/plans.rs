//! Reads and writes plan files, with errors that say where and what to do.

use super::{format, hash};
use crate::failure::Failure;
use crate::files;
use crate::reading;
use scenarios::plan::{PLAN_FORMAT, RunPlan};
use std::path::Path;

/// Reads and checks a plan file.
///
/// # Errors
///
/// A usage failure with the place of a syntax error, or with every wrong value at once.
pub fn read(path: &Path) -> Result<RunPlan, Failure> {
    parse(path, &reading::text(path)?)
}

/// Reads and checks the text of a plan file.
pub(super) fn parse(path: &Path, text: &str) -> Result<RunPlan, Failure> {
    let anew = "edit what this version's windthrow plan prints, or its runs write to plan.json";
    format::check(path, text, PLAN_FORMAT, anew)?;
    let plan: RunPlan = serde_json::from_str(text).map_err(|error| {
        let help =
            "windthrow explain plan tells what may stand here; edit what windthrow plan prints";
        Failure::json(path, text, &error, help)
    })?;
    match wrong(&plan) {
        None => Ok(plan),
        Some(wrong) => Err(Failure::usage(
            format!("{} holds a plan that cannot be run; {wrong}", path.display()),
            "mend the values named above; windthrow explain plan tells what they mean",
        )),
    }
}

/// Reads the plan of a run that was carried out, of which this is the hash.
///
/// # Errors
///
/// As [`read`]; and a usage failure when the file was edited since: what was recorded is judged by
/// what was run, or the verdict is about nothing.
pub fn read_recorded(path: &Path, wanted: &str) -> Result<RunPlan, Failure> {
    let plan = read(path)?;
    let bytes = files::read(path).map_err(|error| Failure::unreadable(path, &error))?;
    let found = hash::of(&bytes);
    if found == wanted {
        return Ok(plan);
    }
    Err(Failure::usage(
        format!(
            "{} is not the plan that was run: its SHA-256 begins with {}, and run.json says {}",
            path.display(),
            hash::beginning(&found),
            hash::beginning(wanted),
        ),
        "put the recorded plan back; an edited one is carried out with windthrow run --plan FILE",
    ))
}

/// What is wrong with a plan, a line for each place with what to do about it; none if nothing is.
#[must_use]
pub fn wrong(plan: &RunPlan) -> Option<String> {
    let problems = plan.check().err()?;
    let lines: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    Some(format!("{} wrong:{lines}", problems.len()))
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
    let hash = hash::of(&bytes);
    (bytes, hash)
}
