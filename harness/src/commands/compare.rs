//! `compare`: what is new in a run since another one, or since what was approved.

use crate::baseline::changes::compare as changes;
use crate::baseline::moved::{Moved, moved};
use crate::baseline::{self, Approved, Comparison, folder};
use crate::cli::CompareArgs;
use crate::commands::say;
use crate::evidence::folder::RunFolder;
use crate::evidence::recorded::Recorded;
use crate::failure::{Exit, Failure};
use reports::report::{Report, Standing};
use serde_json::json;
use std::path::{Path, PathBuf};

/// With what a run is compared.
enum Base {
    /// What was approved, and where that stands.
    Approved(PathBuf, Vec<Approved>),
    /// Another run.
    Run(Box<Recorded>),
}

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
        show(&base, &run.report, &comparison, &measures, &args.base);
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

impl Base {
    /// A baseline where one stands, otherwise a run.
    fn find(out_dir: &Path, name: &str) -> Result<Self, Failure> {
        let path = PathBuf::from(name);
        if folder::is_there(&path) {
            let approved = folder::read(&path)?;
            return Ok(Self::Approved(path, approved));
        }
        match RunFolder::find(out_dir, name) {
            Ok(run) => Ok(Self::Run(Box::new(Recorded::judged(&run)?))),
            Err(Failure::NothingMatched { help, .. }) => Err(Failure::NothingMatched {
                what: format!("there is neither a run nor a baseline {name}"),
                help,
            }),
            Err(failure) => Err(failure),
        }
    }

    fn approved(&self) -> Vec<Approved> {
        match self {
            Self::Approved(_, approved) => approved.clone(),
            Self::Run(run) => Approved::of(&run.report, &run.plan),
        }
    }
}

fn show(base: &Base, run: &Report, comparison: &Comparison, measures: &[Moved], name: &str) {
    let name = match base {
        Base::Run(base) => {
            say(format_args!("base {}", identity(&base.report)));
            base.report.run_id.clone()
        }
        Base::Approved(..) => name.to_owned(),
    };
    say(format_args!("run  {}", identity(run)));
    say(baseline::comparison(comparison, &name));
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
