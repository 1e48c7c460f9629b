//! `init`: writes a commented configuration and a nightly workflow; asks nothing, overwrites nothing.

use crate::cli::InitArgs;
use crate::commands::say;
use crate::config::DEFAULT_FILE;
use crate::failure::{Exit, Failure};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

const FILES: [(&str, &str); 2] = [
    (DEFAULT_FILE, include_str!("windthrow.toml")),
    (".github/workflows/windthrow.yml", include_str!("workflow.yml")),
];

/// Writes the files that are not there yet.
///
/// # Errors
///
/// [`Failure::Usage`] when all of them are there already, [`Failure::Setup`] when one cannot be
/// written.
pub fn init(args: &InitArgs) -> Result<Exit, Failure> {
    let mut written = 0;
    for (name, text) in FILES {
        let path = args.folder.join(name);
        match write_new(&path, text) {
            Ok(()) => {
                written += 1;
                say(format_args!("wrote {}", path.display()));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                say(format_args!("left {} as it is", path.display()));
            }
            Err(error) => return Err(Failure::unwritable(&path, &error)),
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
        std::fs::create_dir_all(folder)?;
    }
    File::create_new(path)?.write_all(text.as_bytes())
}
