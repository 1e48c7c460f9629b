//! `init`: writes a commented configuration and a nightly workflow; asks nothing, overwrites nothing.

use crate::cli::InitArgs;
use crate::commands::say;
use crate::config::DEFAULT_FILE;
use crate::failure::{Exit, Failure};
use scenarios::bounds;
use scenarios::guarantees::Bound;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

const WORKFLOW_FILE: &str = ".github/workflows/windthrow.yml";

/// The configuration that is written, with the bounds of every guarantee.
#[must_use]
pub fn configuration() -> String {
    include_str!("windthrow.toml").replace("# {bounds}\n", &bounds())
}

/// The workflow that is written, with the toolchain that Windthrow needs.
#[must_use]
pub fn workflow() -> String {
    include_str!("workflow.yml").replace("{rust}", env!("CARGO_PKG_RUST_VERSION"))
}

/// A comment that names every bound with its default.
fn bounds() -> String {
    let line = |Bound { of, name, what, unit, default }: &Bound| {
        format!("#   {of:<17} {:<24} {what} ({unit})\n", format!("{name} = {default}"))
    };
    bounds::all().map(line).collect()
}

/// Writes the files that are not there yet.
///
/// # Errors
///
/// [`Failure::Usage`] when all of them are there already, [`Failure::Setup`] when one cannot be
/// written.
pub fn init(args: &InitArgs) -> Result<Exit, Failure> {
    let mut written = 0;
    let configuration = configuration();
    let workflow = workflow();
    let files = [(DEFAULT_FILE, configuration.as_str()), (WORKFLOW_FILE, workflow.as_str())];
    for (name, text) in files {
        let path = args.folder.join(name);
        match write_new(&path, text) {
            Ok(()) => {
                written += 1;
                say(format_args!("wrote {}", path.display()));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                say(format_args!("left {} as it is", path.display()));
            }
            Err(error) => {
                let what = format!("failed to write {}: {error}", path.display());
                return Err(Failure::setup(
                    what,
                    "name a folder that can be written: windthrow init FOLDER",
                ));
            }
        }
    }
    if written == 0 {
        let help = "remove the files that shall be written anew";
        return Err(Failure::usage("there is nothing to write: both files exist", help));
    }
    say(format_args!("next: name your command in {DEFAULT_FILE}, then windthrow run steady-state"));
    Ok(Exit::Held)
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        // What stands in the way of a folder is not the file that is left as it is.
        let no_folder = |error| std::io::Error::new(ErrorKind::NotADirectory, error);
        std::fs::create_dir_all(folder).map_err(no_folder)?;
    }
    File::create_new(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command, ProfileName};
    use clap::Parser;

    /// What the workflow calls is a command line of this version, and not the quick profile.
    #[test]
    fn what_the_workflow_calls_is_accepted() {
        let workflow = workflow();
        let calls = workflow.lines().filter_map(|line| line.trim().strip_prefix("run: windthrow "));
        let parsed: Vec<Cli> = calls
            .map(|call| {
                Cli::try_parse_from(["windthrow"].into_iter().chain(call.split(' '))).unwrap()
            })
            .collect();
        let [Cli { command: Some(Command::Run(args)), .. }] = parsed.as_slice() else {
            panic!("{parsed:?}")
        };
        assert_eq!(args.profile, ProfileName::Nightly);
        for name in &args.reporter {
            assert!(reports::renderers::by_name(name).is_some(), "{name}");
        }
        assert!(args.reporter.iter().any(|name| name == "github"), "it writes the summary");
    }

    /// One step is red when the storm is: whatever comes after it fails for nothing of its own.
    #[test]
    fn after_the_storm_no_step_fails_because_it_did() {
        let workflow = workflow();
        let (_, after) = workflow.split_once("run: windthrow run").unwrap();
        assert!(!after.contains(" run: "), "a command of a shell fails where a file is missing");
        assert_eq!(after.matches("if: always()").count(), after.matches("uses: ").count());
        for lenient in
            ["continue-on-error: true", "require_tests: false", "if-no-files-found: ignore"]
        {
            assert!(after.contains(lenient), "{lenient}");
        }
        assert!(after.contains("!runs/latest/**"), "each run is uploaded once");
        assert!(workflow.contains("permissions:\n  contents: read\n"));
        assert!(!workflow.contains("{rust}") && workflow.contains("toolchain install 1."));
    }
}
