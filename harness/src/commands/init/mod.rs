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
    use crate::{config, document};
    use clap::Parser;
    use serde_json::Value;
    use std::collections::BTreeMap;

    /// What the written file shows of each key, by path: its value, or nothing where it has no default.
    fn shown() -> BTreeMap<String, Option<Value>> {
        let (mut shown, mut table) = (BTreeMap::new(), String::new());
        let text = configuration();
        for line in text.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)) {
            let path = |key: &str| match table.as_str() {
                "" => key.to_owned(),
                table => format!("{table}.{key}"),
            };
            if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                table = header.0.replace("click-lag", "<id>");
                shown.insert(table.clone(), None);
            } else if let Some((key, _)) = line.split_once(" has no default: ") {
                shown.insert(path(key), None);
            } else if let Ok(read) = toml::from_str::<BTreeMap<String, Value>>(line) {
                shown.extend(read.into_iter().map(|(key, value)| (path(&key), Some(value))));
            }
        }
        shown
    }

    /// Proves that whoever reads the file alone knows of every key, and what holds without it.
    #[test]
    fn every_key_of_the_schema_is_written_with_its_default() {
        let shown = shown();
        for entry in document::entries(config::keys()) {
            let path = entry.path();
            let is_there = shown.contains_key(&path) || shown.contains_key(&format!("{path}.<id>"));
            assert!(is_there, "{path} is not in the file that init writes");
            // What the example needs to start is no default.
            let is_example = ["command", "env", "bounds"].contains(&entry.name.as_str());
            match shown.get(&path).cloned().flatten() {
                Some(value) if !entry.default.is_null() && !is_example => {
                    let severity = path == "guarantee.<id>.severity";
                    assert!(value == entry.default || severity, "{path} is {}", entry.default);
                }
                _ => {}
            }
        }
    }

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
