//! `recheck` and `report`: from stored evidence, without traffic.

use crate::baseline::{self, Base, Kept};
use crate::cli::{FailOn, StoredArgs};
use crate::commands::run::exit;
use crate::commands::say;
use crate::evidence::folder::{LAST, RunFolder};
use crate::evidence::recorded::Recorded;
use crate::failure::{Exit, Failure, nearest};
use reports::renderers::{self, RENDERERS, Renderer};
use reports::report::Report;
use std::io::Write;

/// Judges a recorded run again and writes its reports; the exit code is that of the verdict.
///
/// # Errors
///
/// [`Failure`] when there is no such run or its files are broken.
pub fn recheck(args: &StoredArgs) -> Result<Exit, Failure> {
    check_formats(&args.format)?;
    let folder = RunFolder::find(&args.out_dir, &args.run)?;
    if !folder.is_whole() {
        let path = folder.path.display();
        eprintln!("{path} has no {LAST}: the run broke off or goes on, or nobody wrote its result");
    }
    let mut run = Recorded::judged(&folder)?;
    let base = base(args, &folder)?;
    run.report.news = base.as_ref().map(|base| base.news(&run)).transpose()?;
    write(&folder, &run.report, &args.format)?;
    // What is new stands at the end of what a person sees, where nothing scrolls it away.
    if let (Some(base), true) = (&base, args.format.iter().any(|name| name == TERMINAL))
        && run.report.news.as_ref().is_some_and(|news| news.incomparable.is_none())
    {
        say(baseline::comparison(&base.compare(&run)?, &base.since));
    }
    Ok(exit(&run.report, run.report.verdict, FailOn::Inconclusive))
}

/// Writes a recorded run's reports again; succeeds whatever the verdict is.
///
/// # Errors
///
/// [`Failure`] when there is no such run or its files are broken.
pub fn report(args: &StoredArgs) -> Result<Exit, Failure> {
    recheck(args).map(|_| Exit::Held)
}

/// What the run is compared with from now on: what is named, or what it was compared with before.
fn base(args: &StoredArgs, folder: &RunFolder) -> Result<Option<Kept>, Failure> {
    let Some(name) = &args.baseline else { return Kept::read(folder) };
    let base = Kept::of(&Base::find(&args.out_dir, name)?);
    base.write(folder).map_err(|failure| folder.or_gone(failure))?;
    Ok(Some(base))
}

/// Every name must be a renderer's.
///
/// # Errors
///
/// [`Failure::Usage`] with the nearest name.
pub fn check_formats(names: &[String]) -> Result<(), Failure> {
    match names.iter().find(|name| renderers::by_name(name).is_none()) {
        None => Ok(()),
        Some(wrong) => {
            let all: Vec<_> = renderers::names().collect();
            let near = nearest(wrong, renderers::names())
                .map_or(String::new(), |near| format!("did you mean {near}? "));
            Err(Failure::usage(
                format!("there is no reporter {wrong}"),
                format!("{near}there are: {}", all.join(", ")),
            ))
        }
    }
}

/// Shows the named reports that have no file on standard output, and writes the others into the run's
/// folder: each whole, and [`LAST`] when all others are there.
///
/// # Errors
///
/// [`Failure::Setup`] when a file cannot be written; what is shown was shown then.
pub fn write(folder: &RunFolder, report: &Report, names: &[String]) -> Result<(), Failure> {
    let named = |known: &&&dyn Renderer| names.iter().any(|name| name == known.name());
    let shown = RENDERERS.iter().filter(named).filter(|known| known.file_name().is_none());
    for renderer in shown {
        let mut out = anstream::stdout().lock();
        // A reader that has seen enough (`| head`) is no failure of the run.
        let shown = match columns() {
            Some(columns) => renderer.render_within(report, columns, &mut out),
            None => renderer.render(report, &mut out),
        };
        let _ = shown.and_then(|()| out.flush());
    }
    if names.iter().any(|name| name == GITHUB) {
        step_summary(report);
    }
    let written = RENDERERS.iter().filter(named);
    let mut files: Vec<_> = written.filter_map(|known| Some((known.file_name()?, known))).collect();
    files.sort_by_key(|(file, _)| *file == LAST);
    if files.last().is_some_and(|(file, _)| *file == LAST) {
        folder.reopen();
    }
    for (file, renderer) in files {
        let mut bytes = Vec::new();
        let unwritable = |error| Failure::unwritable(&folder.path.join(file), &error);
        renderer.render(report, &mut bytes).map_err(unwritable)?;
        folder.write(file, &bytes).map_err(|failure| folder.or_gone(failure))?;
    }
    Ok(())
}

/// As wide as the terminal is; none where the report goes elsewhere.
fn columns() -> Option<usize> {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    size.map(|(terminal_size::Width(columns), _)| columns.into())
}

/// The reporter for whoever watches.
const TERMINAL: &str = "terminal";
/// The reporter for a workflow of GitHub.
const GITHUB: &str = "github";
/// Its file in which a step leaves what stands on the page of its run.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Adds the Markdown to the summary of the step, where there is one. A workflow is not told twice what went
/// wrong: whatever cannot be written there is in the run's folder all the same.
fn step_summary(report: &Report) {
    let Some(path) = std::env::var_os(STEP_SUMMARY).filter(|path| !path.is_empty()) else { return };
    let Some(markdown) = renderers::by_name("markdown") else { return };
    let mut text = Vec::new();
    let written = markdown.render(report, &mut text).and_then(|()| {
        std::fs::OpenOptions::new().create(true).append(true).open(&path)?.write_all(&text)
    });
    if let Err(error) = written {
        eprintln!("! failed to write {}: {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<String> {
        renderers::usual_names().map(str::to_owned).collect()
    }

    fn files(folder: &RunFolder) -> Vec<String> {
        let entries = std::fs::read_dir(&folder.path).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_report_is_there_when_the_last_one_is() {
        let path = tempfile::tempdir().unwrap();
        let folder = RunFolder { path: path.path().to_owned() };
        // Reports are rendered in any order, but one of them is written last.
        assert!(RENDERERS.iter().any(|known| known.file_name() == Some(LAST)));
        write(&folder, &Report::default(), &all()).unwrap();
        assert_eq!(files(&folder), ["junit.xml", "report.html", "result.json", "summary.md"]);
        // What was whole is not any more when a report cannot be written again.
        std::fs::remove_file(folder.path.join("summary.md")).unwrap();
        std::fs::create_dir(folder.path.join("summary.md")).unwrap();
        assert!(write(&folder, &Report::default(), &all()).is_err());
        assert_eq!(files(&folder), ["junit.xml", "report.html", "summary.md"]);
        assert!(!folder.is_whole());
    }

    #[test]
    fn a_report_of_another_kind_leaves_the_last_file_alone() {
        let path = tempfile::tempdir().unwrap();
        let folder = RunFolder { path: path.path().to_owned() };
        folder.write(LAST, b"of the run").unwrap();
        write(&folder, &Report::default(), &["html".to_owned()]).unwrap();
        assert_eq!(std::fs::read(folder.path.join(LAST)).unwrap(), b"of the run");
    }
}
