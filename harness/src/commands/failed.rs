//! `run --failed`: what was violated or inconclusive in the last run, again, with its seed.

use crate::cli::{Cli, Command, RunArgs};
use crate::evidence::build;
use crate::evidence::folder::RunFolder;
use crate::failure::Failure;
use clap::Parser;
use reports::report::{Ending, Report, Standing};

/// What must be called to do that: the last run's own arguments, with those scenarios alone. How it is
/// reported and what it ends with is the caller's.
///
/// # Errors
///
/// [`Failure::NothingMatched`] when there is no last run or everything held in it, [`Failure::Usage`] when
/// it cannot be repeated from here.
pub fn again(args: &RunArgs) -> Result<RunArgs, Failure> {
    let folder = RunFolder::find(&args.out_dir, "latest")?;
    let report = build::report(&folder)?;
    let failed = failed(&report);
    if failed.is_empty() {
        return Err(Failure::NothingMatched {
            what: format!("nothing was violated or inconclusive in {}", report.run_id),
            help: "run all of it again: windthrow run".to_owned(),
        });
    }
    let rerun = folder.read_identity()?.rerun;
    if let Some((what, help)) = rerun.refusal_here() {
        return Err(Failure::usage(what, help));
    }
    let words = ["windthrow", "run"].map(str::to_owned).into_iter().chain(rerun.words(&failed));
    let parsed = Cli::try_parse_from(words).map(|cli| cli.command);
    let Ok(Some(Command::Run(again))) = parsed else {
        return Err(Failure::bug(format!(
            "what {} was called with is not understood",
            report.run_id
        )));
    };
    Ok(RunArgs {
        jobs: args.jobs,
        out_dir: args.out_dir.clone(),
        reporter: args.reporter.clone(),
        baseline: args.baseline.clone(),
        fail_on: args.fail_on,
        ..again
    })
}

/// The scenarios in which something is not as it must be, in the order of the run.
fn failed(report: &Report) -> Vec<String> {
    let bad = |verdict| matches!(verdict, Standing::Violated | Standing::Inconclusive);
    let has_failed =
        |id: &str| report.cells.iter().any(|cell| cell.scenario == id && bad(cell.verdict));
    let scenarios = report.scenarios.iter();
    let failed = scenarios.filter(|one| one.ending != Ending::Completed || has_failed(&one.id));
    failed.map(|one| one.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::report::{Cell, ScenarioReport};

    #[test]
    fn what_held_or_does_not_apply_is_left_out() {
        let scenario = |(id, ending): (&str, Ending)| ScenarioReport {
            id: id.to_owned(),
            ending,
            ..ScenarioReport::default()
        };
        let cell = |(id, verdict): (&str, Standing)| Cell {
            scenario: id.to_owned(),
            verdict,
            ..Cell::default()
        };
        let done = Ending::Completed;
        let report = Report {
            scenarios: [
                ("a", done),
                ("b", done),
                ("c", done),
                ("d", Ending::Unreached),
                ("e", done),
            ]
            .map(scenario)
            .into(),
            cells: [
                ("a", Standing::Held),
                ("b", Standing::Held),
                ("b", Standing::Violated),
                ("c", Standing::NotApplicable),
                ("e", Standing::Inconclusive),
            ]
            .map(cell)
            .into(),
            ..Report::default()
        };
        assert_eq!(failed(&report), ["b", "d", "e"]);
    }
}
