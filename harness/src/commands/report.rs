//! `recheck` and `report`: from stored evidence, without traffic.

use crate::cli::{FailOn, StoredArgs};
use crate::commands::run::exit;
use crate::evidence::build;
use crate::evidence::folder::RunFolder;
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
    let report = build::report(&folder)?;
    write(&folder, &report, &args.format)?;
    Ok(exit(&report, FailOn::Inconclusive))
}

/// Writes a recorded run's reports again; succeeds whatever the verdict is.
///
/// # Errors
///
/// [`Failure`] when there is no such run or its files are broken.
pub fn report(args: &StoredArgs) -> Result<Exit, Failure> {
    recheck(args).map(|_| Exit::Held)
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

/// Writes the named reports into the run's folder, and those without a file to standard output.
///
/// # Errors
///
/// [`Failure::Setup`] when a file cannot be written.
pub fn write(folder: &RunFolder, report: &Report, names: &[String]) -> Result<(), Failure> {
    let named = |known: &&&dyn Renderer| names.iter().any(|name| name == known.name());
    let mut shown = Vec::new();
    for renderer in RENDERERS.iter().filter(named) {
        let Some(file) = renderer.file_name() else {
            shown.push(renderer);
            continue;
        };
        let mut bytes = Vec::new();
        let unwritable = |error| Failure::unwritable(&folder.path.join(file), &error);
        renderer.render(report, &mut bytes).map_err(unwritable)?;
        folder.write(file, &bytes)?;
    }
    for renderer in shown {
        let mut out = anstream::stdout().lock();
        // A reader that has seen enough (`| head`) is no failure of the run.
        let _ = renderer.render(report, &mut out).and_then(|()| out.flush());
    }
    Ok(())
}
