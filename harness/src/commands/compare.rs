//! `compare`: what is new in a run since another one, or since what was approved.

use crate::baseline::changes::compare as changes;
use crate::baseline::moved::{Moved, moved};
use crate::baseline::{self, Approved, Base, Comparison, folder};
use crate::cli::CompareArgs;
use crate::commands::say;
use crate::evidence::folder::RunFolder;
use crate::evidence::recorded::Recorded;
use crate::failure::{Exit, Failure};
use reports::report::{Report, Standing};
use serde_json::json;
use std::path::Path;

/// Prints what is new; the exit code is that of the worst of it.
///
/// # Errors
///
/// [`Failure`] when one of them is not there, or they cannot be compared.
pub fn compare(args: &CompareArgs) -> Result<Exit, Failure> {
    let run = Recorded::judged(&RunFolder::find(&args.out_dir, &args.run)?)?;
    let base = Base::find(&args.out_dir, &args.base)?;
    let found = Approved::of(&run.report, &run.plan);
    let approved = base.approved();
    let comparison = changes(&approved, &found, &run.report, run.is_whole)?;
    let measures = match &base {
        Base::Run(base) => moved(&base.report, &run.report),
        Base::Approved(..) => Vec::new(),
    };
    if args.json {
        say(format_args!("{:#}", json!({ "comparison": comparison, "measures": measures })));
    } else {
        show(&base, &run.report, &comparison, &measures);
    }
    if let (true, Base::Approved(path, _)) = (args.exact, &base) {
        leave_for_review(path, &found, &comparison)?;
    }
    Ok(match comparison.verdict {
        Standing::Violated => Exit::Violated,
        Standing::Inconclusive | Standing::NotApplicable => Exit::Inconclusive,
        Standing::Held if args.exact && !comparison.differing.is_empty() => Exit::Unapproved,
        Standing::Held => Exit::Held,
    })
}

fn show(base: &Base, run: &Report, comparison: &Comparison, measures: &[Moved]) {
    if let Base::Run(base) = base {
        say(format_args!("base {}", identity(&base.report)));
    }
    say(format_args!("run  {}", identity(run)));
    say(baseline::comparison(comparison, &base.name()));
    if let Base::Run(base) = base {
        if base.report.identity.seed != run.identity.seed {
            say("the seeds differ: other visitors came, and faults hit other calls");
        }
        let lines = baseline::measures(measures);
        if !lines.is_empty() {
            say(lines);
        }
    }
}

/// What tells one run from another.
fn identity(report: &Report) -> String {
    let Report { run_id, identity, .. } = report;
    let mutant = identity.target.mutant.as_ref().map(|mutant| format!(", mutant {mutant}"));
    format!(
        "{run_id}: {}, seed {}, profile {}, target {} ({}){}",
        report.verdict.word(),
        identity.seed,
        identity.profile,
        identity.target.name,
        identity.target.kind,
        mutant.unwrap_or_default(),
    )
}

/// What was found of each scenario that is not as approved.
fn leave_for_review(
    path: &Path,
    found: &[Approved],
    comparison: &Comparison,
) -> Result<(), Failure> {
    // Beside one file as beside all of them.
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let is_new = |one: &&Approved| comparison.differing.contains(&one.scenario);
    for one in found.iter().filter(is_new) {
        let written = folder::write_pending(folder, one)?;
        eprintln!("{} waits for its review", written.display());
    }
    Ok(())
}
